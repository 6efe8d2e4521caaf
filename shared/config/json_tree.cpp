// SPDX-License-Identifier: Apache-2.0
#include "shared/config/json_tree.h"

#include "shared/base/printable.h"
#include "shared/config/values.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace sallyport {

namespace {

// An input iterator that tells, through `position`, how far the parser has read. The parser copies
// its iterators, so the position lives outside.
class CountingIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *position_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

private:
  const char* at_;
  const char** position_;
};

// nlohmann's SAX interface. Every event comes right after its token was read, so the token's line
// is the line of the last character read (for a number: of the one before, as the parser must look
// one character ahead to see its end).
class TreeBuilder {
public:
  using Json = nlohmann::json;
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  TreeBuilder(std::string file, std::string_view text, std::vector<Finding>& findings)
      : file_(std::move(file)),
        findings_(findings),
        position_(text.data()),
        counted_(text.data()) {}

  const char** position() { return &position_; }
  JsonNode take() { return std::move(root_); }

  bool null() { return add(JsonNode::Kind::null) != nullptr; }
  bool boolean(bool value) {
    add(JsonNode::Kind::boolean)->boolean = value;
    return true;
  }
  bool number_integer(number_integer_t) { return add(JsonNode::Kind::number) != nullptr; }
  bool number_unsigned(number_unsigned_t value) {
    add(JsonNode::Kind::number)->whole = value;
    return true;
  }
  bool number_float(number_float_t, const string_t&) {
    return add(JsonNode::Kind::number) != nullptr;
  }
  bool string(string_t& value) {
    add(JsonNode::Kind::text)->text = std::move(value);
    return true;
  }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(JsonNode::Kind::object); }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(JsonNode::Kind::list); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    auto& seen = open_.back().seen;
    const auto [at, fresh] = seen.try_emplace(name, line());
    if (!fresh) {
      findings_.push_back({{file_, line()},
                           name,
                           "stands twice in the same object, first in line " +
                               std::to_string(at->second) + "; keep one"});
    }
    name_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
    std::string text = error.what();
    if (const auto column = text.find(", column "); column != std::string::npos) {
      text.erase(0, std::min(text.size(), text.find(": ", column) + 2));
    } else if (const auto bracket = text.find("] "); bracket != std::string::npos) {
      text.erase(0, bracket + 2);
    }
    if (advice_on_secret(text)) {  // nlohmann repeats what it has read of the value
      text.resize(std::min(text.size(), text.find("; last read")));
    }
    findings_.push_back({{file_, line()}, "", text});
    return false;
  }

private:
  struct Open {
    JsonNode* node;
    std::map<std::string, unsigned> seen;  // key -> line
  };

  unsigned line() {
    const char* end = position_ > counted_ ? position_ - 1 : counted_;
    line_ += static_cast<unsigned>(std::count(counted_, end, '\n'));
    counted_ = end;
    return line_;
  }

  // The pointers in open_ stay good: a list grows only while none of its children is open.
  JsonNode* add(JsonNode::Kind kind) {
    JsonNode* node = &root_;
    if (!open_.empty()) {
      node = &open_.back().node->children.emplace_back();
    }
    node->kind = kind;
    node->place = {file_, line()};
    node->name = std::exchange(name_, {});
    return node;
  }
  bool open(JsonNode::Kind kind) {
    if (open_.size() == kMaxJsonDepth) {
      findings_.push_back({{file_, line()}, "", "is nested too deeply"});
      return false;
    }
    open_.push_back({add(kind), {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string file_;
  std::vector<Finding>& findings_;
  const char* position_;
  const char* counted_;
  unsigned line_ = 1;
  JsonNode root_;
  std::vector<Open> open_;
  std::string name_;
};

}  // namespace

std::string Finding::line() const {
  std::string out;
  if (!place.file.empty()) {
    out = printable(place.file, 1024) + ":" + std::to_string(place.line) + ": ";
  }
  if (!key.empty()) {
    out += printable(key) + ": ";
  }
  return out + printable(text, 1024);
}

std::optional<JsonNode> parse_json_tree(const std::string& file, std::string_view text,
                                        std::vector<Finding>& findings) {
  TreeBuilder builder(file, text, findings);
  const CountingIterator begin(text.data(), builder.position());
  const CountingIterator end(text.data() + text.size(), builder.position());
  constexpr bool kStrict = true;
  constexpr bool kIgnoreComments = true;
  if (!nlohmann::json::sax_parse(begin, end, &builder, nlohmann::json::input_format_t::json,
                                 kStrict, kIgnoreComments)) {
    return std::nullopt;
  }
  return builder.take();
}

void merge_json_tree(JsonNode& into, JsonNode from, std::vector<Finding>& findings,
                     const std::string& key) {
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < into.children.size(); ++i) {
    known.emplace(into.children[i].name, i);
  }
  for (auto& child : from.children) {
    const auto at = known.find(child.name);
    if (at == known.end()) {
      into.children.push_back(std::move(child));
      continue;
    }
    JsonNode& mine = into.children[at->second];
    const std::string child_key = key.empty() ? child.name : key + "." + child.name;
    if (mine.kind == JsonNode::Kind::object && child.kind == JsonNode::Kind::object) {
      merge_json_tree(mine, std::move(child), findings, child_key);
    } else {
      findings.push_back({child.place, child_key,
                          "is given already at " + mine.place.file + ":" +
                              std::to_string(mine.place.line) + "; keep one"});
    }
  }
}

}  // namespace sallyport
