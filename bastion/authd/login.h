// SPDX-License-Identifier: Apache-2.0
//
// One person's way in, without sockets and threads: messages, sign-in events and the time go in,
// and what is to be done comes out. Decisions that are not in the design:
//
// - A key that nobody knows is answered with `more` where enrolment is open. Where it is closed the
//   answer is `try_another`, so that a client with several keys gets to its registered one; the
//   line that says why comes when it asks for the device flow without any.
// - The same unknown key a second time is answered with `try_another`: OpenSSH begins again with
//   its first key after each partial success.
// - Of several keys the one that is bound already is used, else the first.
// - A second sign-in with the same key, or of the same person, is refused while one is pending, and
//   so is the 33rd from one address. A remembered key needs none and is never counted.
#pragma once

#include "bastion/authd/grants.h"
#include "bastion/authd/pending_sign_ins.h"
#include "bastion/authd/remembered_keys.h"
#include "bastion/authd/sign_in.h"
#include "shared/config/config.h"
#include "shared/ipc/messages.h"

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace sallyport {

struct Now {
  std::chrono::steady_clock::time_point steady;
  std::chrono::system_clock::time_point wall;

  static Now read() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }
  uint64_t unix_ms() const;
};

// What all logins share; the configuration is replaced on reload.
struct LoginContext {
  std::shared_ptr<const Config> config;
  RememberedKeys& keys;
  PendingSignIns& pending;
};

struct StartSignIn {};
struct WakeUp {  // call woken() then; a later one replaces it
  std::chrono::steady_clock::time_point when;
};
// Verdict, Prompt: send it. Renewal: for the person's other sessions. Admission: make a grant and
// send it; it and every verdict but `more` and `try_another` are the end of the conversation.
using LoginStep = std::variant<Verdict, Prompt, Renewal, Admission, StartSignIn, WakeUp>;
using LoginSteps = std::vector<LoginStep>;

class LoginConversation {
public:
  explicit LoginConversation(LoginContext& context) : context_(context) {}

  // First, and once: what gate knows of this session.
  Status arrive(const LoginOrigin& origin);
  // Errors: the monitor broke the protocol; the connection ends.
  Result<LoginSteps> key_proven(const AskKeyLogin& ask, const Now& now);
  Result<LoginSteps> prompt_wanted(const AskPromptLogin& ask, const Now& now);
  // Inside another session (ssh -J), whose Admission this is; nullptr: it has ended meanwhile.
  Result<LoginSteps> jump_wanted(const AskJumpLogin& ask, const Admission* outer, const Now& now);
  Result<LoginSteps> prompt_answered(const Now& now);
  LoginSteps sign_in(const SignInEvent& event, const Now& now);
  LoginSteps woken(const Now& now);
  // Ends a login that has not let anybody in yet, where this key is one of its keys.
  LoginSteps key_revoked(const std::string& fingerprint);

  const Id& outer() const { return outer_; }

private:
  enum class Stage { open, starting, prompting, waiting, finished };
  struct ProvenKey {
    std::string fingerprint;
    std::optional<RememberedKey> binding;
  };
  struct Refusal {  // the end, in one line
    Login login;
    std::string text;
  };

  // The same user as before, and a name that can be one.
  Result<std::optional<Refusal>> meet(const std::string& user);
  LoginSteps judge_key(ProvenKey key, const Now& now);
  LoginSteps begin_sign_in();
  std::optional<std::string> why_no_sign_in() const;
  const ProvenKey* key_to_use() const;
  bool is_valid(const RememberedKey& key, const Now& now) const;

  LoginSteps show_prompt(const SignInStarted& started, const Now& now);
  LoginSteps ask_again(const Now& now);
  LoginSteps approved(const Person& person, const Now& now);
  std::optional<Refusal> take_up(RememberedKey& who, const Person& person);
  std::optional<Refusal> bind_key(RememberedKey& who, const Person& person);
  std::optional<Refusal> why_not_owner(const RememberedKey& key, const Person& person) const;
  LoginSteps admit(const RememberedKey& who, bool groups_known, const Now& now);
  LoginSteps admit(Admission admission, const Now& now);
  LoginSteps finish(Refusal refusal);
  void log_refusal(const std::string& why) const;
  LoginSteps finish_failed(const Error& error);
  std::chrono::seconds time_left(const Now& now) const;

  LoginContext& context_;
  Stage stage_ = Stage::open;
  Id session_;
  std::string address_;
  Id outer_;  // zero: not inside another session
  std::string jump_target_;
  bool has_user_ = false;
  std::string user_;
  TypedName wish_;
  std::vector<ProvenKey> proven_;
  std::string unregistered_;  // a proven key that closed enrolment does not take
  bool was_revoked_ = false;  // one of the proven keys, while nothing was asked
  size_t keys_seen_ = 0;

  std::string person_;       // once known; for the log
  std::string fingerprint_;  // the key that counts; "": without a key
  // of the pending sign-in
  PendingSignIns::Claim claim_;
  bool automatic_ = false;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point next_poll_;
  std::optional<Person> approved_by_;  // while the prompt still stands
  size_t asked_again_ = 0;
};

}  // namespace sallyport
