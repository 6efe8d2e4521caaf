// SPDX-License-Identifier: Apache-2.0
#include "shared/evidence/erasure_order.h"

#include "shared/base/names.h"
#include "shared/base/printable.h"
#include "shared/recording/format.h"
#include "shared/ssh/sshsig.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace sallyport {

namespace {

constexpr std::string_view kTitle = "sallyport erasure order 1";
constexpr std::string_view kBlank = "\n\n";  // a line's end, and an empty line
constexpr size_t kMaxReasonBytes = 500;

const char* name_of(ErasureOrder::What what) {
  return what == ErasureOrder::What::file ? "file" : "key";
}

std::optional<ErasureOrder::What> what_of(std::string_view name) {
  for (const auto what : {ErasureOrder::What::key, ErasureOrder::What::file}) {
    if (name == name_of(what)) {
      return what;
    }
  }
  return std::nullopt;
}

// One spelling for one number.
std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::to_string(value) == text ? std::optional(value) : std::nullopt;
}

std::string quoted(std::string_view text) {
  return "\"" + printable(text, 100) + "\"";
}

Error not_an_order(const std::string& why) {
  return Error{Errc::corrupt, "not an order of erasure: " + why};
}

Error no_such_order(const std::string& why) {
  return Error{Errc::invalid, "an order of erasure " + why};
}

// Of sorted recordings.
Status check_values(const ErasureOrder& order) {
  if (!is_valid_name(order.node) || order.node.size() > brec::kNodeBytes) {
    return no_such_order("for the node " + quoted(order.node) + ", which is no node's name");
  }
  if (order.reason.empty() || order.reason.size() > kMaxReasonBytes) {
    return no_such_order("needs a reason of 1 to " + std::to_string(kMaxReasonBytes) + " bytes");
  }
  if (printable(order.reason, kMaxReasonBytes) != order.reason) {
    return no_such_order("needs a reason of printable text on one line, not " +
                         quoted(order.reason));
  }
  if (order.recordings.empty() || order.recordings.size() > kMaxErased) {
    return no_such_order("names 1 to " + std::to_string(kMaxErased) + " recordings, not " +
                         std::to_string(order.recordings.size()));
  }
  const auto twice = std::adjacent_find(order.recordings.begin(), order.recordings.end());
  return twice == order.recordings.end()
             ? ok()
             : Status(no_such_order("has the recording " + recording_id(*twice) + " twice"));
}

// The lines of the text, each "<name> <value>" with its newline.
class Lines {
public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view take() {
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++count_;
    return line_;
  }
  // The value; none where the line has another name.
  std::optional<std::string_view> take(std::string_view name) {
    auto value = take();
    if (!value.starts_with(name) || value.substr(name.size(), 1) != " ") {
      return std::nullopt;
    }
    value.remove_prefix(name.size() + 1);
    return value;
  }
  // About the line that was taken last.
  Error wants(const char* what) const {
    return not_an_order("line " + std::to_string(count_) + " should be \"" + what + "\" and is " +
                        quoted(line_));
  }

private:
  std::string_view rest_;
  std::string_view line_;
  size_t count_ = 0;
};

Result<std::vector<RecordingName>> take_recordings(Lines& lines) {
  std::vector<RecordingName> recordings;
  while (!lines.at_end()) {
    const auto id = lines.take("recording");
    const auto recording = id ? parse_recording_id(*id) : std::nullopt;
    if (!recording) {
      return lines.wants("recording <session>-<channel>");
    }
    if (!recordings.empty() && *recording < recordings.back()) {
      return not_an_order("the recording " + recording_id(*recording) + " is not in its place");
    }
    recordings.push_back(*recording);
  }
  return recordings;
}

Result<ErasureOrder> parse_text(std::string_view text) {
  Lines lines(text);
  ErasureOrder order;
  if (lines.take() != kTitle) {
    return lines.wants("sallyport erasure order 1");
  }
  const auto node = lines.take("node");
  if (!node) {
    return lines.wants("node <name>");
  }
  order.node = *node;
  const auto made = lines.take("made");
  const auto made_ms = made ? number(*made) : std::nullopt;
  if (!made_ms) {
    return lines.wants("made <Unix milliseconds>");
  }
  order.made_ms = *made_ms;
  const auto erase = lines.take("erase");
  const auto what = erase ? what_of(*erase) : std::nullopt;
  if (!what) {
    return lines.wants("erase key\" or \"erase file");
  }
  order.what = *what;
  const auto reason = lines.take("reason");
  if (!reason) {
    return lines.wants("reason <text>");
  }
  order.reason = *reason;
  auto recordings = take_recordings(lines);
  if (!recordings) {
    return recordings.error();
  }
  order.recordings = std::move(*recordings);
  const Status good = check_values(order);
  return good ? Result(std::move(order)) : good.error();
}

// The key whose signature over the text this is.
Result<std::vector<uint8_t>> take_signer(std::string_view armour, std::string_view text) {
  auto signature = parse_sshsig(armour);
  if (!signature) {
    return signature.error();
  }
  const Status good = check_sshsig(*signature, text, kErasureNamespace);
  return good ? Result(std::move(signature->key)) : good.error();
}

}  // namespace

Result<std::string> erasure_order_text(ErasureOrder order) {
  std::sort(order.recordings.begin(), order.recordings.end());
  if (const Status good = check_values(order); !good) {
    return good.error();
  }
  std::string text(kTitle);
  text += "\nnode " + order.node + "\nmade " + std::to_string(order.made_ms) + "\nerase " +
          name_of(order.what) + "\nreason " + order.reason + "\n";
  for (const RecordingName& recording : order.recordings) {
    text += "recording " + recording_id(recording) + "\n";
  }
  return text;
}

Result<SignedErasureOrder> parse_erasure_order(std::string_view bytes) {
  if (bytes.size() > kMaxOrderBytes) {
    return not_an_order("larger than " + std::to_string(kMaxOrderBytes / 1024) + " KiB");
  }
  if (!bytes.ends_with('\n')) {
    return not_an_order("its last line has no end; it was cut");
  }
  size_t blank = bytes.find(kBlank);
  const auto text = bytes.substr(0, blank == std::string_view::npos ? blank : blank + 1);
  auto order = parse_text(text);
  if (!order) {
    return order.error();
  }
  SignedErasureOrder out{std::move(*order), {}};
  while (blank != std::string_view::npos) {
    bytes.remove_prefix(blank + kBlank.size());
    blank = bytes.find(kBlank);
    const std::string which = "signature " + std::to_string(out.signers.size() + 1) + ": ";
    if (out.signers.size() == kMaxOrderSignatures) {
      return no_such_order("has at most " + std::to_string(kMaxOrderSignatures) + " signatures");
    }
    auto signer =
        take_signer(bytes.substr(0, blank == std::string_view::npos ? blank : blank + 1), text);
    if (!signer) {
      return Error{signer.error().code, which + signer.error().message};
    }
    if (std::find(out.signers.begin(), out.signers.end(), *signer) != out.signers.end()) {
      return Error{Errc::invalid, which + "its key has signed already"};
    }
    out.signers.push_back(std::move(*signer));
  }
  return out;
}

std::string with_signatures(std::string_view text, const std::vector<std::string>& signatures) {
  std::string out(text);
  for (std::string_view signature : signatures) {
    while (signature.ends_with('\n')) {
      signature.remove_suffix(1);
    }
    out.append("\n").append(signature).append("\n");
  }
  return out;
}

}  // namespace sallyport
