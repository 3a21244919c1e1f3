#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/op.pb.h"
#include "shared/api/kept_text.h"
#include "shared/api/provisional_accounts.h"
#include "shared/api/record_source.h"
#include "shared/api/subjects.h"
#include "shared/api/try_throttle.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/password.h"
#include "shared/crypto/signing.h"
#include "shared/domain/authority.h"
#include "shared/sync/credentials.h"

namespace duhui::api {

struct SignInLimits {
  Duration idle = minutes(15);
  Duration life = hours(12);
  std::size_t sessions_max = 2000;
  std::size_t sessions_per_person_max = 16;
};

/// What happened at the desk, for the audit log. Never a password or a token.
struct SignInEvent {
  enum class What : std::uint8_t {
    signed_in,
    wrong_password,
    throttled,
    signed_out,
    locked,
    unlocked,
    password_changed,
  };
  What what = What::signed_in;
  std::string person{};  // id of the account; empty: a name nobody has
  sync::v1::SignIn sign_in = sync::v1::SIGN_IN_UNSPECIFIED;
};
std::string_view to_string(SignInEvent::What what);

/// A person at one browser or one command, from signing in to signing out.
struct Session {
  std::string person{};
  std::string name{};
  std::string csrf{};
  sync::v1::SignIn sign_in = sync::v1::SIGN_IN_UNSPECIFIED;
  MonotonicTime begun{};
  MonotonicTime used{};
  bool locked = false;
  PublicKey key{};           // of the account when it was last looked at
  std::uint64_t serial = 0;  // of the password likewise
  /// Who else has signed in at this browser: for switching quickly.
  std::vector<std::pair<std::string, std::string>> others{};  // id, name
};

/// A password that is being checked. run() touches nothing but this: any thread.
struct PasswordTrial {
  TryOf counted_as{};
  std::string user_id{};  // empty: nobody has this name
  std::string name{};
  bool provisional = false;
  record::v1::Role role = record::v1::ROLE_UNSPECIFIED;  // of a provisional account
  LockedSeed locked{};
  PublicKey key{};
  std::uint64_t serial = 0;
  std::string password{};
  /// Another password that takes its place: then `secret` is made as well.
  std::optional<std::string> next{};
  WallTime at{};
  bool creates = false;  // a provisional account that is new: nothing to open, `locked` is made

  // What run() found.
  std::optional<Error> error{};
  std::optional<record::v1::CredentialSecret> secret{};
  std::optional<SigningKey> opened{};  // of an account

  void run();
};

/// Lets people in with their password, with or without network, and knows who is in. Sessions live
/// in memory: whoever starts the program again signs in again.
class SignInDesk {
 public:
  struct Parts {
    RecordSource& source;
    Random& random;  // fit for keys
    KeptText& tries;
    KeptText* provisional = nullptr;  // agents
    Subject::Place place = Subject::Place::agent;
    std::function<MonotonicTime()> clock{};
    std::function<void(const SignInEvent&)> told{};
    std::function<WallTime()> calendar{};  // see Subjects
    /// Somebody's password held: the key that it opened.
    std::function<void(const std::string& person, const SigningKey& key)> opened{};
  };
  /// All parts outlive this.
  explicit SignInDesk(Parts parts, SignInLimits limits = {});
  SignInDesk(const SignInDesk&) = delete;
  SignInDesk& operator=(const SignInDesk&) = delete;

  struct SignedIn {
    std::string token;
    const Session* session;
  };
  /// `throttled`: its detail ends with the seconds to wait; see wait_seconds().
  /// `peer`: see EdgeRequest, here and below.
  Result<PasswordTrial> begin_sign_in(const std::string& name,
                                      std::string password,
                                      const std::string& peer = {});
  /// By name only, on a device that has no accounts yet. `role`: what the person says to be.
  Result<PasswordTrial> begin_provisional(const std::string& name,
                                          std::string password,
                                          record::v1::Role role);
  /// A fresh token each time; the session of `old_token` ends.
  Result<SignedIn> finish_sign_in(PasswordTrial& trial, const std::string& old_token);

  Result<PasswordTrial> begin_unlock(const std::string& token,
                                     std::string password,
                                     const std::string& peer = {});
  Status finish_unlock(PasswordTrial& trial, const std::string& token);
  Result<PasswordTrial> begin_change(const std::string& token,
                                     std::string old_password,
                                     std::string new_password,
                                     const std::string& peer = {});
  Status finish_change(PasswordTrial& trial, const std::string& token);

  void lock(const std::string& token);
  void sign_out(const std::string& token);
  void end_sessions_of(const std::string& user_id);

  /// What a token is good for now.
  struct Visit {
    const Session* session = nullptr;  // null: nothing
    Subject subject{};                 // who that is: `nobody` while locked
    bool must_change = false;
  };
  /// `counts`: a person did something; the page asking by itself does not keep a session open.
  Result<Visit> visit(const std::string& token, bool counts);

  /// Whether the person is at some browser or command, not locked out.
  bool is_in(const std::string& person) const;
  /// Whether people sign in by name only.
  Result<bool> is_provisional();
  const SignInLimits& limits() const { return limits_; }
  Subjects& subjects() { return subjects_; }
  std::size_t sessions() const { return sessions_.size(); }
  Subject::Place place() const { return parts_.place; }

 private:
  using Sessions = std::map<Digest, Session>;

  Status may_try(const TryOf& what, const std::string& user_id);
  Result<PasswordTrial> begin(const std::string& user_id, std::string password, const TryOf& what);
  /// Counts the try; the error of a wrong one.
  Status judge(const PasswordTrial& trial);
  void tell_opened(const PasswordTrial& trial) const;
  Session* find(const std::string& token);
  Result<Subject> provisional_subject(const Session& session);
  void make_room(const std::string& person);
  void tell(SignInEvent::What what, const std::string& person, sync::v1::SignIn sign_in) const;
  std::string fresh_token();

  const Parts parts_;
  const SignInLimits limits_;
  Subjects subjects_;
  TryThrottle throttle_;
  ProvisionalAccounts provisional_;
  Sessions sessions_;
};

/// The seconds of a `throttled` error.
std::int64_t wait_seconds(const Error& error);

}  // namespace duhui::api
