// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/note_file.h"

#include "shared/base/hex.h"

#include <algorithm>
#include <array>

namespace sallyport {

namespace {

constexpr std::string_view kMark = "sallyport-checkpoint ";
constexpr std::string_view kDash = "\xe2\x80\x94 ";

// One note after the other, a line at a time.
class Splitter {
public:
  void take(std::string_view line) {
    if (auto note = note_of_line(line)) {
      finish();
      notes_.push_back(std::move(*note));
    } else if (line.empty()) {
      take_empty();
    } else if (line.starts_with(kDash)) {
      take_signature(line);
    } else {
      take_text(line);
    }
  }
  std::vector<std::string> end() {
    finish();
    return std::move(notes_);
  }

private:
  void take_empty() {
    if (!signatures_.empty()) {
      finish();
    } else {
      text_ended_ = !text_.empty();
    }
  }
  void take_signature(std::string_view line) {
    if (text_ended_) {  // otherwise it is of a note whose text is gone
      signatures_.append(line).push_back('\n');
    }
  }
  void take_text(std::string_view line) {
    if (text_ended_) {
      finish();  // another note, or the one before was torn before its signatures
    }
    text_.append(line).push_back('\n');
  }
  void finish() {
    std::string note = text_ + "\n" + signatures_;
    if (!signatures_.empty() && parse_note(note)) {
      notes_.push_back(std::move(note));
    }
    text_.clear();
    signatures_.clear();
    text_ended_ = false;
  }

  std::string text_;
  std::string signatures_;
  bool text_ended_ = false;
  std::vector<std::string> notes_;
};

}  // namespace

std::vector<std::string> split_notes(std::string_view text) {
  Splitter splitter;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    splitter.take(line);
  }
  return splitter.end();
}

Result<std::string> checkpoint_line(std::string_view bytes) {
  const auto note = parse_note(bytes);
  if (!note) {
    return note.error();
  }
  const auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint) {
    return checkpoint.error();
  }
  const auto own =
      std::find_if(note->signatures.begin(), note->signatures.end(),
                   [&](const auto& signature) { return signature.name == checkpoint->origin; });
  if (own == note->signatures.end()) {
    return Error{Errc::invalid, "a checkpoint that its log has not signed"};
  }
  std::vector<uint8_t> signature(own->key_id.begin(), own->key_id.end());
  signature.insert(signature.end(), own->signature.begin(), own->signature.end());
  return std::string(kMark) + checkpoint->origin + " " + std::to_string(checkpoint->size) + " " +
         to_base64(checkpoint->root) + " " + to_base64(signature);
}

std::optional<std::string> note_of_line(std::string_view line) {
  const size_t mark = line.rfind(kMark);
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  line.remove_prefix(mark + kMark.size());
  std::array<std::string, 4> fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t end = i + 1 < fields.size() ? line.find(' ') : line.size();
    if (end == std::string_view::npos || end == 0) {
      return std::nullopt;
    }
    fields[i] = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  const auto& [origin, size, root, signature] = fields;
  std::string note = origin + "\n" + size + "\n" + root + "\n\n" + std::string(kDash) + origin +
                     " " + signature + "\n";
  const auto parsed = parse_note(note);
  return parsed && parse_checkpoint(parsed->text) ? std::optional(std::move(note)) : std::nullopt;
}

}  // namespace sallyport
