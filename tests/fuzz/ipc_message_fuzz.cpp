// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a datagram of each message type: decoding never reads past the end, and what was
// decoded encodes to the very same bytes (there is one spelling of every message).
#include "shared/ipc/codec.h"
#include "shared/ipc/messages.h"

#include <cstdlib>
#include <tuple>

namespace {

using namespace sallyport;

using AllMessages =
    std::tuple<Answer, StartChild, ChildStarted, SessionStart, StartJump, JumpStarted, StartBack,
               BackStart, BackReady, SessionFailed, KeyProven, PromptWanted, PromptAnswer, Prompt,
               Verdict, LoginOrigin, AskKeyLogin, AskPromptLogin, AskJumpLogin, AskJumpTarget,
               JumpTarget, Grant, GrantRevoked, ChannelOpen, ChannelRefused, ChannelPty, ChannelEnv,
               ChannelStart, ChannelStarted, ChannelResize, ChannelSignal, ChannelData,
               ChannelCredit, ChannelEof, ChannelExitStatus, ChannelExitSignal, ChannelClose,
               ChannelX11, ChannelAgent, ChannelBreak, ForwardOpen, ListenAsk, ListenAnswer,
               ListenCancel, ConfirmGrant, GrantFacts, AskSigner, Signer, VaultAdd, VaultGenerate,
               VaultRemove, VaultList, VaultEntry, LogState, LogStateIs, SignCheckpoint,
               CheckpointSigned, OpenRecording, RecordingOpened, RecordingEnded, RecordingHeadIs,
               WatchLog, CheckpointIs, AskConsistency, ConsistencyIs, WitnessSays, RecordingsFind,
               RecordingEntry, Reindex, KeysList, KeyEntry, KeyRevoke, KeyRegister, SessionsList,
               SessionEntry, SessionKill, Reload>;

template <class Message>
void check(uint16_t type, std::span<const uint8_t> body) {
  if (type != static_cast<uint16_t>(Message::kType)) {
    return;
  }
  const auto message = decode<Message>(body);
  if (!message) {
    return;
  }
  const auto again = encode(*message);
  const auto encoded = std::span(again).subspan(kMessageHeaderBytes);
  if (!std::equal(encoded.begin(), encoded.end(), body.begin(), body.end())) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) {
    return 0;
  }
  const auto type = static_cast<uint16_t>(data[0] | data[1] << 8);
  const std::span<const uint8_t> body(data + 2, size - 2);
  std::apply([&](auto... messages) { (check<decltype(messages)>(type, body), ...); },
             AllMessages{});
  return 0;
}
