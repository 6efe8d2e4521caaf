// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/find_sql.h"

#include <algorithm>
#include <limits>

namespace sallyport::stored {

namespace {

struct Way {
  const char* index;
  bool (*serves)(const RecordingsFind&);
};

// The first that serves. What names few recordings stands before what may name most of them.
constexpr Way kWays[] = {
    {"by_recording", [](const auto& w) { return !w.recording.empty(); }},
    {"by_fingerprint", [](const auto& w) { return !w.fingerprint.empty(); }},
    {"by_hold", [](const auto& w) { return w.hold; }},
    {"by_person_target", [](const auto& w) { return !w.person.empty() && !w.target.empty(); }},
    {"by_person", [](const auto& w) { return !w.person.empty(); }},
    {"by_target", [](const auto& w) { return !w.target.empty(); }},
    {"by_agent", [](const auto& w) { return !w.agent.empty(); }},
    {"by_state",
     [](const auto& w) {
       return w.state != RecordingState::any && w.state != RecordingState::ended;
     }},
    {"by_address", [](const auto& w) { return !w.address.empty(); }},
    {"by_login", [](const auto& w) { return !w.login.empty(); }},
    {"by_start", [](const auto&) { return true; }},
};

int64_t as_number(uint64_t value) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return static_cast<int64_t>(std::min(value, kMost));
}

// The first text, in the order of bytes, that is after all that begin like this; "" if none is.
std::string after_all_with(std::string beginning) {
  while (!beginning.empty() && static_cast<uint8_t>(beginning.back()) == 0xff) {
    beginning.pop_back();
  }
  if (!beginning.empty()) {
    beginning.back() = static_cast<char>(static_cast<uint8_t>(beginning.back()) + 1);
  }
  return beginning;
}

class Builder {
public:
  explicit Builder(FindSql& out) : out_(out) {}

  void also(const char* condition, std::variant<int64_t, std::string> value) {
    out_.sql += std::string(" AND ") + condition;
    out_.values.push_back(std::move(value));
  }
  void or_else(const char* condition, const std::string& value) {
    out_.sql += std::string(" OR ") + condition;
    out_.values.emplace_back(value);
  }
  void equal(const char* condition, const std::string& value) {
    if (!value.empty()) {
      also(condition, value);
    }
  }
  void beginning(const char* from, const char* to, const std::string& value) {
    if (!value.empty()) {
      also(from, value);
      equal(to, after_all_with(value));
    }
  }

private:
  FindSql& out_;
};

// With a page before this one its last start bounds the time, so that no page is slower than the
// first; among those of the same millisecond the identifier decides.
void add_time(Builder& builder, const RecordingsFind& wanted) {
  const uint64_t until =
      wanted.until_ms == 0 ? std::numeric_limits<uint64_t>::max() : wanted.until_ms;
  const bool is_bounded_by_page = !wanted.before.empty() && wanted.before_ms < until;
  builder.also("start_ms >= ?", as_number(wanted.since_ms));
  builder.also("start_ms < ?", as_number(is_bounded_by_page ? wanted.before_ms + 1 : until));
  if (is_bounded_by_page) {
    builder.also("(start_ms < ?", as_number(wanted.before_ms));
    builder.or_else("recording < ?)", wanted.before);
  }
}

}  // namespace

FindSql find_sql(const RecordingsFind& wanted) {
  const Way* way = std::find_if(std::begin(kWays), std::end(kWays),
                                [&](const Way& w) { return w.serves(wanted); });
  FindSql out;
  out.sql = std::string("SELECT ") + kIndexColumns + " FROM recordings INDEXED BY " + way->index +
            " WHERE 1";
  Builder builder(out);
  add_time(builder, wanted);
  builder.equal("person = ?", wanted.person);
  builder.equal("agent = ?", wanted.agent);
  builder.equal("target = ?", wanted.target);
  builder.equal("login = ?", wanted.login);
  builder.equal("fingerprint = ?", wanted.fingerprint);
  builder.beginning("recording >= ?", "recording < ?", wanted.recording);
  builder.beginning("address >= ?", "address < ?", wanted.address);
  if (wanted.state != RecordingState::any) {
    builder.also("state = ?", static_cast<int64_t>(wanted.state));
  }
  if (wanted.hold) {
    out.sql += " AND hold = 1";
  }
  out.sql += " ORDER BY start_ms DESC, recording DESC LIMIT ?";
  const uint32_t limit = wanted.limit == 0 ? kMaxFound : std::min(wanted.limit, kMaxFound);
  out.values.emplace_back(int64_t{limit});
  return out;
}

}  // namespace sallyport::stored
