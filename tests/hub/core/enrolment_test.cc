// A device's first contact: which tickets are taken, and what a refused hello leaves behind.

#include <gtest/gtest.h>

#include "hub/core/hub_core.h"
#include "hub/core/tickets.h"
#include "shared/crypto/ticket.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

using sync::v1::Goodbye;

class Enrolment : public testing::Test {
 protected:
  Enrolment() { put(row()); }

  TicketRow row() const {
    TicketRow made;
    made.id = ticket_.id;
    made.secret_hash = ticket_secret_hash(ticket_.id, ticket_.secret_view()).str();
    made.name = "a school";
    made.scopes = {"city/zone"};
    made.uses_left = 1;
    return made;
  }
  void put(const TicketRow& row) {
    ASSERT_TRUE(hub_.store.write([&](HubTransaction& tx) { return put_ticket(tx, row); }));
  }
  TicketRow stored() {
    TicketRow row;
    EXPECT_TRUE(hub_.store.read([&](HubTransaction& tx) -> Status {
      DUHUI_TRY(found, find_ticket(tx, ticket_.id));
      if (found) row = *found;
      return Done{};
    }));
    return row;
  }
  std::string good() const { return ticket_presentation(ticket_.id, ticket_.secret_view()); }

  SessionId open_from(const std::string& source) {
    const SessionId id = ++hub_.sessions;
    hub_.perform(hub_.core.opened(id, "binding", {hub_.now}, source));
    return id;
  }
  /// What the hub says to the goodbye's reader; empty: welcome.
  Goodbye show(const TestWriter& device,
               const std::string& presented,
               const std::string& from = {}) {
    sync::v1::Hello hello = device.hello("binding");
    hello.set_ticket(presented);
    const SessionId id = open_from(from);
    hub_.say_hello(id, hello);
    EXPECT_EQ(hub_.is_closed(id), hub_.welcome(id).epoch() == 0);
    return hub_.goodbye(id);
  }

  TestHub hub_;
  SeededRandom random_{3};
  const Ticket ticket_ = mint_ticket(random_);
  TestWriter device_{1};
  TestWriter second_{2};
};

TEST_F(Enrolment, NamesTheReasonForEachTicketItDoesNotTake) {
  EXPECT_EQ(show(device_, "").detail(), "unknown device, and no ticket");
  EXPECT_EQ(show(device_, "no colon").detail(), "ticket: malformed");
  EXPECT_EQ(show(device_, "aaaaaaaa:" + good().substr(9)).detail(), "ticket: unknown");
  std::string tampered = good();
  tampered.back() = tampered.back() == 'A' ? 'Q' : 'A';
  EXPECT_EQ(show(device_, tampered).detail(), "ticket: unknown");
  TicketRow changed = row();
  changed.revoked = true;
  put(changed);
  EXPECT_EQ(show(device_, good()).detail(), "ticket: revoked");
  changed = row();
  changed.expires = {kNow - 1};
  put(changed);
  EXPECT_EQ(show(device_, good()).detail(), "ticket: expired");
  EXPECT_TRUE(hub_.store.state().devices.empty());
  put(row());
  EXPECT_EQ(show(device_, good()).detail(), "");
  EXPECT_EQ(show(second_, good()).detail(), "ticket: used up");
  EXPECT_EQ(show(second_, good()).reason(), Goodbye::REASON_UNAUTHORISED);
  EXPECT_EQ(hub_.store.state().devices.size(), 1u);
}

TEST_F(Enrolment, CountsAUseOnceForADeviceThatComesBackWithItsTicket) {
  EXPECT_EQ(show(device_, good()).detail(), "");
  EXPECT_EQ(show(device_, good()).detail(), "") << "the welcome was lost: it knows the device";
  EXPECT_EQ(stored().uses, 1u);
  EXPECT_EQ(stored().uses_left, 0u);
  EXPECT_EQ(stored().last_used.ms, kNow);
}

TEST_F(Enrolment, TakesNoUseForAHelloThatIsRefusedForAnotherReason) {
  TestWriter owner(7);
  hub_.enrol(owner);
  owner.write(TestWriter::creating('a'));
  hub_.say_batch(hub_.connect(owner), owner.batch(1, 1));
  const auto settings = hub_.store.state().settings;
  device_.origin = owner.origin;
  EXPECT_EQ(show(device_, good()).detail(), "hello: stream of another device");
  sync::v1::Hello replayed = second_.hello("another channel");
  replayed.set_ticket(good());
  const SessionId id = hub_.open();
  hub_.say_hello(id, replayed);
  EXPECT_EQ(hub_.goodbye(id).detail(), "hello: the device's proof does not hold");
  EXPECT_EQ(stored().uses_left, 1u);
  EXPECT_EQ(hub_.store.state().settings, settings);
  EXPECT_EQ(hub_.store.state().devices.size(), 1u);
  EXPECT_EQ(show(second_, good()).detail(), "") << "the ticket is as good as before";
}

TEST_F(Enrolment, LooksAtNoTicketForAWhileAfterTooManyWrongOnes) {
  const TicketGuardLimits limits;
  for (std::uint32_t n = 0; n <= limits.source_free; ++n) {
    EXPECT_EQ(show(TestWriter(100 + n), "aaaaaaaa:AAAA", "192.0.2.7").detail(), "ticket: unknown");
  }
  const Goodbye refused = show(device_, good(), "192.0.2.7");
  EXPECT_EQ(refused.detail(), "ticket: too many wrong tries");
  EXPECT_EQ(refused.reason(), Goodbye::REASON_UNAUTHORISED);
  EXPECT_EQ(refused.retry_after_ms(), limits.source_pause_first.ms);
  EXPECT_EQ(stored().uses_left, 1u);
  hub_.now += refused.retry_after_ms();
  EXPECT_EQ(show(device_, good(), "192.0.2.7").detail(), "");
}

TEST_F(Enrolment, LetsOthersAndKnownDevicesInWhileSomebodyGuesses) {
  TestWriter known(7);
  hub_.enrol(known);
  for (int n = 0; n < 100; ++n) {
    show(TestWriter(100 + static_cast<std::uint64_t>(n)), "aaaaaaaa:AAAA", "192.0.2.7");
  }
  EXPECT_EQ(show(known, "aaaaaaaa:AAAA", "192.0.2.7").detail(), "");
  EXPECT_EQ(show(device_, good(), "192.0.2.8").detail(), "");
  EXPECT_EQ(show(second_, good(), "192.0.2.8").detail(), "ticket: used up");
}

TEST_F(Enrolment, CountsAUsedTicketAsNoWrongTry) {
  EXPECT_EQ(show(device_, good(), "192.0.2.7").detail(), "");
  for (int n = 0; n < 100; ++n) {
    EXPECT_EQ(show(second_, good(), "192.0.2.7").detail(), "ticket: used up");
  }
}

TEST_F(Enrolment, CountsWrongTriesOfThoseWhoHangUpBeforeTheAnswer) {
  for (int n = 0; n < 20; ++n) {
    TestWriter guesser(100 + static_cast<std::uint64_t>(n));
    sync::v1::Hello hello = guesser.hello("binding");
    hello.set_ticket("aaaaaaaa:AAAA");
    const SessionId id = open_from("192.0.2.7");
    hub_.jobs_run = false;
    hub_.say_hello(id, hello);
    hub_.core.closed(id);
    hub_.jobs_run = true;
    hub_.perform({});
  }
  EXPECT_EQ(show(device_, good(), "192.0.2.7").detail(), "ticket: too many wrong tries");
}

}  // namespace
}  // namespace duhui::hub
