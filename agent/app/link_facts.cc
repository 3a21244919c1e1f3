#include "agent/app/link_facts.h"

namespace duhui::agent {
namespace {

LinkFacts::State state_of(Link::State state) {
  switch (state) {
    case Link::State::disabled:
      return LinkFacts::State::disabled;
    case Link::State::offline:
      return LinkFacts::State::offline;
    case Link::State::connecting:
      return LinkFacts::State::connecting;
    case Link::State::live:
      return LinkFacts::State::live;
  }
  return LinkFacts::State::offline;
}

}  // namespace

LinkFacts facts_of(const Link& link) {
  LinkFacts facts{.state = state_of(link.state()),
                  .since = link.since(),
                  .last_error = link.last_error(),
                  .caught_up = link.caught_up(),
                  .bytes_read = link.bytes().read,
                  .bytes_written = link.bytes().written,
                  .bytes_read_total = link.bytes_total().read,
                  .bytes_written_total = link.bytes_total().written,
                  .road = link.road() ? std::string(to_string(*link.road())) : "",
                  .road_problem = link.road_problem(),
                  .network = link.network(),
                  .revoked = link.revoked()};
  for (const Road road : {Road::websocket, Road::https}) {
    const RoadFacts of_road = link.facts(road);
    facts.roads.push_back({.name = std::string(to_string(road)),
                           .last_success = of_road.last_success,
                           .bytes_read = of_road.bytes.read,
                           .bytes_written = of_road.bytes.written});
  }
  return facts;
}

}  // namespace duhui::agent
