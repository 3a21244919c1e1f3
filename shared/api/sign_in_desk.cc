#include "shared/api/sign_in_desk.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "shared/api/scopes.h"
#include "shared/base/bytes.h"
#include "shared/crypto/system_random.h"
#include "shared/crypto/text.h"
#include "shared/domain/writers.h"

namespace duhui::api {
namespace {

using record::v1::Role;

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kOthersMax = 8;

/// The same words whatever was wrong: they tell nobody which names exist.
Error wrong_password() {
  return {ErrorCode::unauthenticated, "wrong_password: the name or the password"};
}

Error no_session() { return {ErrorCode::unauthenticated, "sign_in"}; }

std::string throttle_name(const std::string& user_id, const std::string& typed) {
  if (!user_id.empty()) return user_id;
  return "?" + to_hex(sha256(typed).view().substr(0, 8));
}

/// Nobody makes themselves an officer.
bool may_claim(Role role) {
  return role == record::v1::ROLE_RESPONSIBLE_SUPERVISOR ||
         role == record::v1::ROLE_CO_SUPERVISOR || is_school_role(role);
}

}  // namespace

std::string_view to_string(SignInEvent::What what) {
  constexpr std::array<std::string_view, 7> kNames{"signed_in",       "wrong_password", "throttled",
                                                   "signed_out",      "locked",         "unlocked",
                                                   "password_changed"};
  return kNames[static_cast<std::size_t>(what)];
}

std::int64_t wait_seconds(const Error& error) {
  const auto at = error.detail.rfind(' ');
  if (error.code != ErrorCode::throttled || at == std::string::npos) return 0;
  return std::max<std::int64_t>(std::strtoll(error.detail.c_str() + at + 1, nullptr, 10), 1);
}

void PasswordTrial::run() {
  SystemRandom random;
  if (creates) {
    const Seed seed = mint_seed(random);
    auto made = lock_seed(seed, password, kPasswordCost, random);
    wipe(password);
    if (!made) {
      error = made.error();
      return;
    }
    locked = std::move(*made);
    return;
  }
  auto seed = open_seed(locked, password);
  wipe(password);
  if (!seed) {
    error = seed.error();
    return;
  }
  const bool same = provisional || SigningKey::from_seed(*seed).public_key() == key;
  if (!same) error = Error{ErrorCode::refused, "password: not of this key"};
  if (same && !provisional) opened = SigningKey::from_seed(*seed);
  if (same && next) {
    auto made =
        make_secret(*seed, {.user_id = user_id, .serial = serial + 1, .at = at}, *next, random);
    if (made) {
      secret = std::move(*made);
    } else {
      error = made.error();
    }
  }
  if (next) wipe(*next);
  wipe(*seed);
}

SignInDesk::SignInDesk(Parts parts, SignInLimits limits)
    : parts_(std::move(parts)),
      limits_(limits),
      subjects_(parts_.source, parts_.place, parts_.calendar),
      throttle_(parts_.tries),
      provisional_(parts_.provisional) {
  throttle_.load(parts_.clock());
}

void SignInDesk::tell(SignInEvent::What what,
                      const std::string& person,
                      sync::v1::SignIn sign_in) const {
  if (parts_.told) parts_.told({what, person, sign_in});
}

void SignInDesk::tell_opened(const PasswordTrial& trial) const {
  if (trial.opened && parts_.opened) parts_.opened(trial.user_id, *trial.opened);
}

bool SignInDesk::is_in(const std::string& person) const {
  const MonotonicTime now = parts_.clock();
  return std::ranges::any_of(sessions_, [&](const auto& one) {
    const Session& session = one.second;
    return session.person == person && !session.locked && now - session.used <= limits_.idle &&
           now - session.begun <= limits_.life;
  });
}

std::string SignInDesk::fresh_token() {
  std::string bytes(kTokenBytes, '\0');
  parts_.random.fill(bytes.data(), bytes.size());
  return to_base64url(bytes);
}

Status SignInDesk::may_try(const TryOf& what, const std::string& user_id) {
  const Duration wait = throttle_.wait(what, parts_.clock());
  if (wait.ms <= 0) return Done{};
  tell(SignInEvent::What::throttled, user_id, sync::v1::SIGN_IN_UNSPECIFIED);
  return Error{ErrorCode::throttled,
               "too many wrong tries, seconds to wait: " + std::to_string((wait.ms + 999) / 1000)};
}

Result<PasswordTrial> SignInDesk::begin(const std::string& user_id,
                                        std::string password,
                                        const TryOf& what) {
  DUHUI_CHECK_OK(may_try(what, user_id));
  // What was changed a moment ago counts for whoever signs in now.
  subjects_.forget(user_id);
  PasswordTrial trial;
  trial.counted_as = what;
  trial.user_id = user_id;
  trial.password = std::move(password);
  trial.at = parts_.source.facts().now;
  const KnownPerson* person = nullptr;
  if (!user_id.empty()) {
    DUHUI_TRY(found, subjects_.find(user_id, parts_.clock()));
    person = found;
  }
  if (person != nullptr && person->active && person->account) {
    trial.name = person->user.name();
    trial.locked = locked_seed(*person->account->secret);
    trial.key = person->account->key;
    trial.serial = person->account->secret->serial();
  } else {
    trial.locked = locked_for_nobody(parts_.random);
  }
  throttle_.begun(what, parts_.clock());
  return trial;
}

Result<PasswordTrial> SignInDesk::begin_sign_in(const std::string& name,
                                                std::string password,
                                                const std::string& peer) {
  if (name.size() > kNameBytesMax) return wrong_password();
  DUHUI_TRY(user_id, subjects_.id_of(name));
  return begin(user_id, std::move(password), {throttle_name(user_id, name), peer});
}

Result<bool> SignInDesk::is_provisional() {
  if (parts_.provisional == nullptr) return false;
  DUHUI_TRY(any, subjects_.any_account());
  return !any;
}

Result<PasswordTrial> SignInDesk::begin_provisional(const std::string& name,
                                                    std::string password,
                                                    Role role) {
  DUHUI_TRY(open, is_provisional());
  if (!open) return Error{ErrorCode::forbidden, "not_provisional: this device has accounts"};
  if (name.empty() || name.size() > kNameBytesMax) {
    return Error{ErrorCode::invalid_input, "missing: user"};
  }
  const TryOf what{.account = name};
  DUHUI_CHECK_OK(may_try(what, name));
  DUHUI_TRY(known, provisional_.find(name));
  PasswordTrial trial;
  trial.counted_as = what;
  trial.user_id = name;
  trial.name = name;
  trial.provisional = true;
  if (known) {
    trial.role = known->role;
    trial.locked = known->locked;
  } else {
    if (!may_claim(role)) return Error{ErrorCode::invalid_input, "missing: role"};
    DUHUI_CHECK_OK(check_new_password(password, name));
    trial.role = role;
    trial.creates = true;
  }
  trial.password = std::move(password);
  throttle_.begun(what, parts_.clock());
  return trial;
}

Status SignInDesk::judge(const PasswordTrial& trial) {
  const MonotonicTime now = parts_.clock();
  if (!trial.error && !trial.user_id.empty()) {
    throttle_.succeeded(trial.counted_as, now);
    return Done{};
  }
  if (trial.error && trial.error->code == ErrorCode::unavailable) {
    throttle_.undone(trial.counted_as, now);
    return *trial.error;
  }
  throttle_.failed(trial.counted_as, now);
  tell(SignInEvent::What::wrong_password, trial.user_id, sync::v1::SIGN_IN_UNSPECIFIED);
  return wrong_password();
}

void SignInDesk::make_room(const std::string& person) {
  const auto oldest = [this](const auto& wanted) {
    auto found = sessions_.end();
    std::size_t count = 0;
    for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
      if (!wanted(at->second)) continue;
      ++count;
      if (found == sessions_.end() || at->second.used < found->second.used) found = at;
    }
    return std::pair(found, count);
  };
  const auto own = oldest([&](const Session& session) { return session.person == person; });
  if (own.second >= limits_.sessions_per_person_max) sessions_.erase(own.first);
  if (sessions_.size() < limits_.sessions_max) return;
  sessions_.erase(oldest([](const Session&) { return true; }).first);
}

Result<SignInDesk::SignedIn> SignInDesk::finish_sign_in(PasswordTrial& trial,
                                                        const std::string& old_token) {
  DUHUI_CHECK_OK(judge(trial));
  Session session{.person = trial.user_id, .name = trial.name, .csrf = fresh_token()};
  session.sign_in = trial.provisional                     ? sync::v1::SIGN_IN_PROVISIONAL
                    : parts_.place == Subject::Place::hub ? sync::v1::SIGN_IN_AT_HUB
                                                          : sync::v1::SIGN_IN_AT_DEVICE;
  session.begun = session.used = parts_.clock();
  session.key = trial.key;
  session.serial = trial.serial;
  if (trial.provisional) {
    DUHUI_TRY(open, is_provisional());
    if (!open) return Error{ErrorCode::forbidden, "not_provisional: this device has accounts"};
    DUHUI_TRY(known, provisional_.find(trial.user_id));
    // Two at once: the first has the name.
    if (trial.creates && known) return wrong_password();
    if (trial.creates) {
      DUHUI_CHECK_OK(provisional_.add(trial.user_id, {.locked = trial.locked, .role = trial.role}));
    }
  }
  if (const Session* before = find(old_token)) {
    session.others = before->others;
    if (before->person != session.person) {
      session.others.emplace_back(before->person, before->name);
    }
    std::erase_if(session.others, [&](const auto& one) { return one.first == session.person; });
    if (session.others.size() > kOthersMax) session.others.erase(session.others.begin());
    sessions_.erase(sha256(old_token));
  }
  make_room(session.person);
  const std::string token = fresh_token();
  tell(SignInEvent::What::signed_in, session.person, session.sign_in);
  const auto at = sessions_.insert_or_assign(sha256(token), std::move(session)).first;
  tell_opened(trial);
  return SignedIn{token, &at->second};
}

Session* SignInDesk::find(const std::string& token) {
  if (token.empty()) return nullptr;
  // By its hash: how long the search takes tells nothing about the tokens that exist.
  const auto at = sessions_.find(sha256(token));
  if (at == sessions_.end()) return nullptr;
  if (parts_.clock() - at->second.begun > limits_.life) {
    sessions_.erase(at);
    return nullptr;
  }
  return &at->second;
}

Result<PasswordTrial> SignInDesk::begin_unlock(const std::string& token,
                                               std::string password,
                                               const std::string& peer) {
  const Session* session = find(token);
  if (session == nullptr) return no_session();
  if (session->sign_in == sync::v1::SIGN_IN_PROVISIONAL) {
    return begin_provisional(session->person, std::move(password), Role::ROLE_UNSPECIFIED);
  }
  return begin(session->person, std::move(password), {session->person, peer});
}

Status SignInDesk::finish_unlock(PasswordTrial& trial, const std::string& token) {
  DUHUI_CHECK_OK(judge(trial));
  Session* session = find(token);
  if (session == nullptr || session->person != trial.user_id) return no_session();
  session->locked = false;
  session->used = parts_.clock();
  session->key = trial.key;
  session->serial = trial.serial;
  tell(SignInEvent::What::unlocked, session->person, session->sign_in);
  tell_opened(trial);
  return Done{};
}

Result<PasswordTrial> SignInDesk::begin_change(const std::string& token,
                                               std::string old_password,
                                               std::string new_password,
                                               const std::string& peer) {
  const Session* session = find(token);
  if (session == nullptr || session->locked) return no_session();
  if (session->sign_in == sync::v1::SIGN_IN_PROVISIONAL) {
    return Error{ErrorCode::refused, "provisional: there is no real account to change yet"};
  }
  DUHUI_TRY(person, subjects_.find(session->person, parts_.clock()));
  DUHUI_CHECK_OK(check_new_password(new_password, person == nullptr ? "" : person->user.login()));
  if (new_password == old_password) {
    return Error{ErrorCode::invalid_input, "password_simple: the same as before"};
  }
  DUHUI_TRY(trial, begin(session->person, std::move(old_password), {session->person, peer}));
  trial.next = std::move(new_password);
  return trial;
}

Status SignInDesk::finish_change(PasswordTrial& trial, const std::string& token) {
  DUHUI_CHECK_OK(judge(trial));
  Session* session = find(token);
  if (session == nullptr || session->person != trial.user_id || !trial.secret) {
    return no_session();
  }
  DUHUI_TRY(accounts, subjects_.accounts_of(trial.user_id));
  DUHUI_TRY(person, subjects_.find(trial.user_id, parts_.clock()));
  std::vector<Intent> intents;
  for (const auto& [place, account] : accounts) {
    // A reset by the office in the meantime stands.
    if (account.disabled || account.key != trial.key) continue;
    if (account.secret && account.secret->serial() > trial.serial) continue;
    Intent intent = change_credential(trial.user_id, place, {.secret = trial.secret});
    intent.person = trial.user_id;
    intent.rank =
        person == nullptr ? 0u : static_cast<std::uint32_t>(writer_of(person->user.role()));
    intent.sign_in = session->sign_in;
    intents.push_back(std::move(intent));
  }
  if (intents.empty()) {
    return Error{ErrorCode::conflict, "password: it was changed elsewhere; sign in again"};
  }
  DUHUI_TRY(dots, parts_.source.save(std::move(intents)));
  static_cast<void>(dots);
  subjects_.forget(trial.user_id);
  session->serial = trial.secret->serial();
  tell(SignInEvent::What::password_changed, session->person, session->sign_in);
  return Done{};
}

void SignInDesk::lock(const std::string& token) {
  Session* session = find(token);
  if (session == nullptr || session->locked) return;
  session->locked = true;
  tell(SignInEvent::What::locked, session->person, session->sign_in);
}

void SignInDesk::sign_out(const std::string& token) {
  const Session* session = find(token);
  if (session == nullptr) return;
  tell(SignInEvent::What::signed_out, session->person, session->sign_in);
  sessions_.erase(sha256(token));
}

void SignInDesk::end_sessions_of(const std::string& user_id) {
  subjects_.forget(user_id);
  std::erase_if(sessions_, [&](const auto& one) { return one.second.person == user_id; });
}

Result<Subject> SignInDesk::provisional_subject(const Session& session) {
  DUHUI_TRY(person, subjects_.find(session.person, parts_.clock()));
  Subject nobody{.place = parts_.place};
  if (person != nullptr && !person->active) return nobody;
  // Whoever comes by name only gets what they claim to be, never what the registry knows of that
  // name, and of the records only what they wrote themselves.
  DUHUI_TRY(known, provisional_.find(session.person));
  const Role role = known ? known->role : Role::ROLE_UNSPECIFIED;
  Subject subject{.kind = Subject::Kind::person, .place = parts_.place, .person = session.person};
  for (const std::string& scope : parts_.source.facts().scopes) {
    subject.grants.push_back({role, scope});
    if (is_school_role(role)) subject.school_id = std::string(last_part(scope));
  }
  return subject;
}

Result<SignInDesk::Visit> SignInDesk::visit(const std::string& token, bool counts) {
  Session* session = find(token);
  if (session == nullptr) return Visit{};
  const MonotonicTime now = parts_.clock();
  const auto end = [&]() -> Visit {
    sessions_.erase(sha256(token));
    return {};
  };
  Visit visit{.session = session};
  if (session->sign_in == sync::v1::SIGN_IN_PROVISIONAL) {
    DUHUI_TRY(open, is_provisional());
    if (!open) return end();
    DUHUI_TRY(subject, provisional_subject(*session));
    visit.subject = std::move(subject);
  } else {
    DUHUI_TRY(person, subjects_.find(session->person, now));
    const bool same = person != nullptr && person->active && person->account &&
                      person->account->key == session->key;
    if (!same) return end();
    // The password was changed elsewhere: whoever sits here shows that they know it.
    if (person->account->secret->serial() > session->serial) session->locked = true;
    visit.subject = person->subject;
    visit.must_change = person->account->secret->must_change();
  }
  if (visit.subject.kind != Subject::Kind::person) return end();
  if (!session->locked && now - session->used > limits_.idle) {
    session->locked = true;
    tell(SignInEvent::What::locked, session->person, session->sign_in);
  }
  if (session->locked) {
    visit.subject = {.kind = Subject::Kind::nobody, .place = parts_.place};
    return visit;
  }
  if (counts) session->used = now;
  visit.subject.sign_in = session->sign_in;
  return visit;
}

}  // namespace duhui::api
