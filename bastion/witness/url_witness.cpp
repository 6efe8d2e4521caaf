// SPDX-License-Identifier: Apache-2.0
#include "bastion/witness/url_witness.h"

#include "shared/base/hex.h"
#include "shared/base/printable.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace sallyport::witness {

namespace {

// Once to learn its size, once with the proof, and once more if somebody else came between.
constexpr int kTries = 3;
constexpr size_t kMaxReplyBytes = 32 * 1024;

std::string endpoint(std::string prefix) {
  while (prefix.ends_with('/')) {
    prefix.pop_back();
  }
  return prefix + "/add-checkpoint";
}

std::optional<uint64_t> read_size(std::string_view body) {
  if (body.ends_with('\n')) {
    body.remove_suffix(1);
  }
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), size);
  return error == std::errc() && end == body.data() + body.size() ? std::optional(size)
                                                                  : std::nullopt;
}

WitnessSays contradicts(WitnessAnswer answer, uint64_t size, std::string text) {
  WitnessSays says;
  says.answer = answer;
  says.size = size;
  says.text = std::move(text);
  return says;
}

}  // namespace

UrlWitness::UrlWitness(const WitnessConfig& config)
    : url_(endpoint(config.url)), verifier_(parse_cosignature_verifier(config.key)) {
  http_.ca_file = config.ca_file;
}

WitnessSays UrlWitness::show(const SignedLog& log) {
  if (!verifier_) {
    return silent("its key " + verifier_.error().message);
  }
  if (!log.checkpoint) {
    return nothing();
  }
  for (int i = 0; i < kTries; ++i) {
    const auto body = request_body(log);
    if (!body) {
      return silent(body.error().message);
    }
    const auto reply =
        http_call(http_, {url_, {"Content-Type: text/plain"}, "text/plain", *body, kMaxReplyBytes});
    if (!reply) {
      return silent(reply.error().message);
    }
    if (reply->status == 200) {
      knows_ = log.checkpoint->size;
      return take_cosignature(log, reply->body);
    }
    const auto size = reply->status == 409 ? read_size(reply->body) : std::nullopt;
    if (!size) {
      return refusal(*reply);
    }
    if (*size > log.checkpoint->size) {
      return contradicts(WitnessAnswer::larger, *size, url_ + " says so");
    }
    knows_ = *size;
  }
  return silent(url_ + " changes its mind about the size that it knows");
}

Result<std::string> UrlWitness::request_body(const SignedLog& log) const {
  const uint64_t size = log.checkpoint->size;
  const uint64_t old_size = std::min(knows_, size);
  const auto proof =
      old_size == 0 || old_size == size ? Result(MerkleProof()) : log.prove(old_size, size);
  if (!proof) {
    return proof.error();
  }
  std::string body = "old " + std::to_string(old_size) + "\n";
  for (const Sha256Digest& hash : *proof) {
    body += to_base64(hash) + "\n";
  }
  return body + "\n" + log.note;
}

// The log's signatures and the witness's, nobody else's.
WitnessSays UrlWitness::take_cosignature(const SignedLog& log, const std::string& lines) const {
  auto note = parse_note(log.note + lines);
  const auto verified =
      note ? verify_cosignature(*note, *verifier_) : Result<uint64_t>(note.error());
  if (!verified) {
    return silent(url_ + " has taken the checkpoint, but " + verified.error().message);
  }
  std::erase_if(note->signatures, [&](const NoteSignature& signature) {
    return (signature.name != verifier_->name || signature.key_id != verifier_->key_id()) &&
           (signature.name != log.verifier.name || signature.key_id != log.verifier.key_id());
  });
  WitnessSays says = taken(log);
  says.note = note_text(*note);
  return says;
}

WitnessSays UrlWitness::refusal(const HttpReply& reply) const {
  const std::string status = url_ + " answers " + std::to_string(reply.status);
  switch (reply.status) {
    case 403:
      return silent(status +
                    ": it does not know the key that signs this log; give its operator "
                    "what `sallyportctl log key` prints");
    case 404:
      return silent(status +
                    ": it does not know this log (or the url is wrong); give its operator "
                    "what `sallyportctl log key` prints");
    case 409:
      return silent(status + " without a size");
    case 422:
      if (knows_ > 0) {
        return contradicts(WitnessAnswer::other, knows_,
                           status + ": the log does not continue what it knows");
      }
      break;
    default:
      break;
  }
  return silent(status + ": " + printable(reply.body.substr(0, reply.body.find('\n')), 200));
}

}  // namespace sallyport::witness
