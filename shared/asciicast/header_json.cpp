// SPDX-License-Identifier: Apache-2.0
#include "shared/asciicast/header_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace sallyport {

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;

Error wrong(const std::string& key, const std::string& want) {
  return Error{Errc::protocol, "\"" + key + "\" must be " + want};
}

Result<std::string> text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return std::string();
  }
  if (!found->is_string()) {
    return wrong(key, "text");
  }
  return found->get<std::string>();
}

Result<uint32_t> size_of(const json& object, const char* key, uint32_t usual) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) {
    return wrong(key, "a whole number");
  }
  return asciicast_size(found->get<uint64_t>(), usual);
}

Status read_size(const json& object, const char* cols, const char* rows, AsciicastHeader& header) {
  auto width = size_of(object, cols, kAsciicastUsualCols);
  if (!width) {
    return std::move(width).error();
  }
  auto height = size_of(object, rows, kAsciicastUsualRows);
  if (!height) {
    return std::move(height).error();
  }
  header.cols = *width;
  header.rows = *height;
  return ok();
}

Status read_env(const json& object, AsciicastHeader& header) {
  const auto env = object.find("env");
  if (env == object.end() || env->is_null()) {
    return ok();
  }
  if (!env->is_object()) {
    return wrong("env", "an object");
  }
  for (const auto& [name, value] : env->items()) {
    if (value.is_string()) {  // asciinema writes null for a variable that is not set
      header.env.emplace_back(name, value.get<std::string>());
    }
    if (name == "TERM" && value.is_string()) {
      header.term_type = value.get<std::string>();
    }
  }
  return ok();
}

Status read_terminal(const json& object, AsciicastHeader& header) {
  if (header.version < 3) {
    return read_size(object, "width", "height", header);
  }
  const auto term = object.find("term");
  if (term == object.end() || !term->is_object()) {
    return wrong("term", "an object with cols and rows");
  }
  auto type = text_of(*term, "type");
  if (!type) {
    return std::move(type).error();
  }
  if (!type->empty()) {
    header.term_type = *type;
  }
  return read_size(*term, "cols", "rows", header);
}

Status read_numbers(const json& object, AsciicastHeader& header) {
  const auto timestamp = object.find("timestamp");
  if (timestamp != object.end() && !timestamp->is_null()) {
    // Some recorders write a fraction.
    if (!timestamp->is_number() || !(std::abs(timestamp->get<double>()) < 1e15)) {
      return wrong("timestamp", "a number of seconds");
    }
    header.timestamp = static_cast<int64_t>(timestamp->get<double>());
  }
  const auto idle = object.find("idle_time_limit");
  if (idle != object.end() && !idle->is_null()) {
    if (!idle->is_number() || !(idle->get<double>() >= 0)) {
      return wrong("idle_time_limit", "a number of seconds");
    }
    header.idle_time_limit = idle->get<double>();
  }
  return ok();
}

Status read_texts(const json& object, AsciicastHeader& header) {
  auto title = text_of(object, "title");
  auto command = text_of(object, "command");
  if (!title || !command) {
    return title ? std::move(command).error() : std::move(title).error();
  }
  header.title = *title;
  header.command = *command;
  if (const auto ours = object.find("sallyport"); ours != object.end()) {
    header.sallyport = ours->dump();
  }
  return ok();
}

}  // namespace

Result<json> parse_bounded_json(std::string_view text) {
  try {
    return json::parse(text, [](int depth, json::parse_event_t, json&) {
      if (depth > kMaxDepth) {
        throw std::length_error("deeper than 32 levels");
      }
      return true;
    });
  } catch (const json::parse_error& e) {  // what nlohmann says would quote the file
    return Error{Errc::protocol, "not JSON at byte " + std::to_string(e.byte)};
  } catch (const std::length_error& e) {
    return Error{Errc::protocol, std::string("JSON ") + e.what()};
  } catch (const std::exception&) {
    return Error{Errc::protocol, "cannot be read as JSON"};
  }
}

Result<AsciicastHeader> header_from_json(const json& object) {
  const auto version = object.is_object() ? object.find("version") : object.end();
  if (!object.is_object() || version == object.end() || !version->is_number_unsigned()) {
    return Error{Errc::protocol, "not an asciicast: no header object with a \"version\""};
  }
  const uint64_t number = version->get<uint64_t>();
  if (number < 1 || number > 3) {
    return Error{Errc::protocol,
                 "asciicast version " + std::to_string(number) +
                     " is not known; convert it to v3 or v2 with asciinema convert"};
  }
  AsciicastHeader header;
  header.version = static_cast<int>(number);
  for (const auto read : {read_env, read_terminal, read_numbers, read_texts}) {
    if (Status done = read(object, header); !done) {
      return std::move(done).error();
    }
  }
  return header;
}

}  // namespace sallyport
