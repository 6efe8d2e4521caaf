// SPDX-License-Identifier: Apache-2.0
//
// The rights that exist now. They live in memory only: a grant ends with the connection of the
// login that got it, and a restart of authd ends them all.
#pragma once

#include "bastion/authd/policy.h"
#include "shared/base/id.h"
#include "shared/base/result.h"
#include "shared/ipc/messages.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sallyport {

// Who was let in, and to what. `fingerprint` is "" for a login without a key.
struct Admission {
  Id session;
  std::string address;
  std::string fingerprint;
  std::string person;
  std::string issuer;
  std::string subject;
  std::vector<std::string> groups;
  std::string mapping;    // claim_mapping() when the groups were read
  Right right;            // without a target: nothing but sessions inside this one (ssh -J)
  std::string refusal;    // then: why no target
  uint64_t since_ms = 0;  // Unix
};

// What a sign-in has just told of a person.
struct Renewal {
  std::string issuer;
  std::string subject;
  std::vector<std::string> groups;
  std::string mapping;
};

class Grants {
public:
  struct Live {
    Admission who;
    uint64_t connection = 0;  // of the login
    bool dialled = false;
    bool has_signed = false;
  };

  // Errc::denied where this session has a grant already.
  Result<Id> add(Admission admission, uint64_t connection);
  void remove(const Id& grant) { live_.erase(grant); }

  // Answers gate, keyd and stored; never an error, `valid` and `text` say it.
  GrantFacts confirm(const ConfirmGrant& question, const Config& config, uint64_t unix_ms);

  // The groups of this person's sessions become these; whether they go on is still_stands().
  void renew(const Renewal& renewal);

  // Whom this session let in, or nullptr.
  const Admission* find_session(const Id& session) const;
  const std::map<Id, Live>& all() const { return live_; }
  // The connections whose grants `is_over` names, which are no grants any more after this.
  std::vector<uint64_t> end(const std::function<bool(const Admission&)>& is_over);

private:
  std::map<Id, Live> live_;
};

// Does the configuration still give at least this right, from claims that it reads as it did then?
// More than before is no reason to end.
bool still_stands(const Admission& who, const Config& config);

Grant grant_message(const Id& id, const Admission& admission, const Config& config);

}  // namespace sallyport
