#include "shared/api/domain_lookup.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/crypto/registry_id.h"
#include "shared/merge/view.h"

namespace duhui::api {
namespace {

/// A school has a handful of assignments and rarely two visits on one day.
constexpr std::uint32_t kNeighboursMax = 64;
/// A city has some dozens of settings, each with a few versions.
constexpr std::uint32_t kSettingsMax = 1000;

template <typename Message>
std::optional<Message> read_registry(RecordSource& source, const RecordId& id) {
  const RecordSchema* schema = Schema::instance().find(
      Message::descriptor()->options().GetExtension(record::v1::record).type());
  auto state = source.state(id);
  if (schema == nullptr || !state || !*state) return std::nullopt;
  Message message;
  const ShownMessage shown = shown_message(*schema, **state, {});
  if (shown.deleted || !message.ParseFromString(shown.bytes)) return std::nullopt;
  return message;
}

std::string text_at(const Presented& presented, const char* name) {
  const auto at = presented.record.find(name);
  return at != presented.record.end() && at->is_string() ? at->get<std::string>() : std::string();
}

NoticeFacts notice_facts(const Presented& notice) {
  return {.id = notice.id, .state = notice.state, .due_at = text_at(notice, "due_at")};
}

}  // namespace

DomainContext DomainLookup::narrow() {
  DomainContext context;
  context.now = time_text(source_.facts().now);
  context.template_of = [this](const std::string& id, std::uint32_t version) {
    return form(id, version);
  };
  return context;
}

DomainContext DomainLookup::whole() {
  DomainContext context = narrow();
  context.assignments_of = [this](const std::string& school_id) { return assignments(school_id); };
  context.notice = [this](const std::string& id) { return notice(id); };
  context.notice_of_problem = [this](const std::string& id) { return notice_of_problem(id); };
  context.responses_of = [this](const std::string& id) { return responses(id); };
  context.rechecks_of = [this](const std::string& id) { return rechecks(id); };
  context.visits_on = [this](const std::string& school_id, const std::string& date) {
    return visits(school_id, date);
  };
  context.setting = [this](const std::string& key, const std::string& school_id) {
    return setting(key, school_id);
  };
  return context;
}

Result<Presented> DomainLookup::present_record(const RecordId& id, const RecordState& state) {
  const RecordSchema* schema = Schema::instance().find(state.type());
  if (schema == nullptr || state.stage() != RecordState::Stage::born) {
    return Error{ErrorCode::not_found, "no such record: not complete here"};
  }
  Presented shown = present(*schema, to_uuid_text(id.view()), state, whole());
  if (schema->rule.id_fields().empty()) return shown;
  // A registry record is called by its readable id; its own `id` field is part of that.
  const auto* own = schema->descriptor->FindFieldByName("id");
  const auto* reflection = shown.message->GetReflection();
  if (own != nullptr && reflection->HasField(*shown.message, own)) {
    shown.record["id"] = reflection->GetString(*shown.message, own);
  }
  shown.id = id_text(id, schema, shown.record);
  return shown;
}

std::optional<record::v1::Template> DomainLookup::form(const std::string& id,
                                                       std::uint32_t version) {
  const auto [at, fresh] = forms_.try_emplace({id, version});
  if (fresh && !id.empty()) {
    const std::string readable = id + "@" + std::to_string(version);
    at->second =
        read_registry<record::v1::Template>(source_, registry_record_id("template", readable));
  }
  return at->second;
}

std::vector<record::v1::Assignment> DomainLookup::assignments(const std::string& school_id) {
  std::vector<record::v1::Assignment> found;
  const RecordSchema* schema = Schema::instance().find("assignment");
  if (schema == nullptr || school_id.empty()) return found;
  auto rows =
      source_.list({.type = schema->rule.type(), .school_id = school_id, .limit = kNeighboursMax});
  if (!rows) return found;
  for (const RecordRow& row : *rows) {
    if (auto assignment = read_registry<record::v1::Assignment>(source_, row.id)) {
      found.push_back(std::move(*assignment));
    }
  }
  return found;
}

std::optional<Presented> DomainLookup::present_other(const RecordId& id, std::string_view type) {
  const RecordSchema* schema = Schema::instance().find(type);
  auto state = source_.state(id);
  if (schema == nullptr || !state || !*state || (*state)->type() != schema->rule.type() ||
      (*state)->stage() != RecordState::Stage::born) {
    return std::nullopt;
  }
  Presented shown = present(*schema, to_uuid_text(id.view()), **state, narrow());
  if (shown.view.deleted) return std::nullopt;
  return shown;
}

std::vector<Presented> DomainLookup::present_linked(std::string_view name,
                                                    const std::string& to,
                                                    std::string_view type) {
  std::vector<Presented> found;
  auto ids = source_.linked_to(name, to);
  if (!ids) return found;
  for (const RecordId& id : *ids) {
    if (auto shown = present_other(id, type)) found.push_back(std::move(*shown));
  }
  return found;
}

std::optional<NoticeFacts> DomainLookup::notice(const std::string& id) {
  const auto bytes = from_uuid_text(id);
  if (!bytes) return std::nullopt;
  const auto shown = present_other(*RecordId::from_bytes(*bytes), "rectification_notice");
  if (!shown) return std::nullopt;
  return notice_facts(*shown);
}

std::optional<NoticeFacts> DomainLookup::notice_of_problem(const std::string& problem_id) {
  const auto notices = present_linked("problem_ids", problem_id, "rectification_notice");
  if (notices.empty()) return std::nullopt;
  return notice_facts(notices.back());
}

std::vector<ResponseFacts> DomainLookup::responses(const std::string& notice_id) {
  std::vector<ResponseFacts> found;
  for (const Presented& shown : present_linked("notice_id", notice_id, "rectification_response")) {
    found.push_back({.id = shown.id, .state = shown.state, .sent_at = text_at(shown, "at")});
  }
  return found;
}

std::vector<RecheckFacts> DomainLookup::rechecks(const std::string& problem_id) {
  std::vector<RecheckFacts> found;
  for (const Presented& shown : present_linked("problem_id", problem_id, "recheck")) {
    found.push_back(
        {.id = shown.id, .at = text_at(shown, "at"), .received_at = text_at(shown, "received_at")});
  }
  return found;
}

std::vector<VisitFacts> DomainLookup::visits(const std::string& school_id,
                                             const std::string& date) {
  std::vector<VisitFacts> found;
  const RecordSchema* schema = Schema::instance().find("visit_record");
  if (schema == nullptr) return found;
  auto rows = source_.list({.type = schema->rule.type(),
                            .school_id = school_id,
                            .date_from = date,
                            .date_to = date,
                            .limit = kNeighboursMax});
  if (!rows) return found;
  for (const RecordRow& row : *rows) {
    const auto shown = present_other(row.id, "visit_record");
    if (!shown) continue;
    VisitFacts facts{.id = shown->id,
                     .visit_kind = text_at(*shown, "visit_kind"),
                     .period = text_at(*shown, "period"),
                     .status = shown->state,
                     .supervisor_ids = {},
                     .merged = shown->record.contains("duplicate_of")};
    const auto people = shown->record.find("participants");
    if (people != shown->record.end() && people->contains("supervisor_ids")) {
      for (const auto& one : (*people)["supervisor_ids"]) facts.supervisor_ids.push_back(one);
    }
    found.push_back(std::move(facts));
  }
  return found;
}

const std::vector<record::v1::PolicySetting>& DomainLookup::settings() {
  if (settings_) return *settings_;
  settings_.emplace();
  const RecordSchema* schema = Schema::instance().find("policy_setting");
  if (schema == nullptr) return *settings_;
  auto rows = source_.list({.type = schema->rule.type(), .limit = kSettingsMax});
  if (!rows) return *settings_;
  for (const RecordRow& row : *rows) {
    if (auto policy = read_registry<record::v1::PolicySetting>(source_, row.id)) {
      settings_->push_back(std::move(*policy));
    }
  }
  return *settings_;
}

std::optional<double> DomainLookup::setting(const std::string& key, const std::string& school_id) {
  const auto school =
      read_registry<record::v1::School>(source_, registry_record_id("school", school_id));
  const std::string today = time_text(source_.facts().now).substr(0, 10);
  std::optional<double> found;
  bool of_district = false;
  for (const record::v1::PolicySetting& policy : settings()) {
    if (policy.key() != key || policy.valid_from() > today) continue;
    if (!policy.valid_to().empty() && policy.valid_to() < today) continue;
    // A district's row beats the city's.
    const bool district = school && policy.scope_org_id() == school->district_id();
    if (of_district && !district) continue;
    if (policy.value().has_number()) found = policy.value().number();
    if (policy.value().has_integer()) found = static_cast<double>(policy.value().integer());
    of_district = district;
  }
  return found;
}

}  // namespace duhui::api
