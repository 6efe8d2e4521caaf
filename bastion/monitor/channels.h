// SPDX-License-Identifier: Apache-2.0
//
// Every channel, request and byte between front and back passes here (R6): it is looked up in the
// grant, written into the recording, and only then passed on. Nothing is sent while a batch is
// read; it is staged, the recordings are flushed, and what was staged goes out in its order.
#pragma once

#include "bastion/monitor/channel_recording.h"
#include "bastion/monitor/keystroke_recording.h"
#include "shared/ipc/peer.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::monitor {

// What a peer of ours may not say now.
inline Error out_of_turn(const char* what) {
  return {Errc::protocol, std::string(what) + " out of turn"};
}

class Channels {
public:
  Channels(Peer& front, Peer& back, Peer& stored, RecordedSession session)
      : front_(front), back_(back), stored_(stored), session_(std::move(session)) {}

  void on_back_ready();
  // Flushes the recordings, then sends what is staged. An error: the recording cannot be written,
  // or a peer is gone; the session must end.
  Status pass_on();
  void finish_all(const std::string& reason);

  // front
  Status open(const ChannelOpen& message);
  Status open_by_user(const ForwardOpen& message);  // forwards.cpp
  Status started_by_user(const ChannelStarted& message);
  Status refused_by_user(const ChannelRefused& message);
  Status listen_ask(const ListenAsk& message);
  Status listen_cancel(const ListenCancel& message);
  Status x11(const ChannelX11& message);
  Status agent(const ChannelAgent& message);
  Status send_break(const ChannelBreak& message);
  Status pty(const ChannelPty& message);
  Status env(const ChannelEnv& message);
  Status start(const ChannelStart& message);
  Status resize(const ChannelResize& message);
  Status signal(const ChannelSignal& message);
  Status input(const ChannelData& message);
  Status input_eof(const ChannelEof& message);
  Status user_close(const ChannelClose& message);
  Status output_credit(const ChannelCredit& message);
  // back
  Status open_by_target(const ForwardOpen& message);
  Status listen_answer(const ListenAnswer& message);
  Status started(const ChannelStarted& message);
  Status refused(const ChannelRefused& message);
  Status output(const ChannelData& message);
  Status output_eof(const ChannelEof& message);
  Status exit_status(const ChannelExitStatus& message);
  Status exit_signal(const ChannelExitSignal& message);
  Status target_close(const ChannelClose& message);
  Status input_credit(const ChannelCredit& message);
  // stored
  Status recording_opened(const RecordingOpened& message,
                          std::vector<UniqueFd>& fds);  // recordings.cpp
  bool has_news_for_stored() const;                     // frames whose head was not told
  Status tell_heads();

  // What was typed and waits for its echo is forgotten after a time: true while something waits.
  bool keys_wait() const;
  Status pass_key_time();

private:
  enum class Step { preparing, recording, ready, starting, running, closed };
  struct Opening {
    std::optional<NewRecording> prepared;
    UniqueFd file;
  };
  struct Channel {
    Step step = Step::preparing;
    std::optional<ChannelPty> pty;
    std::optional<ChannelX11> x11;
    bool wants_agent = false;
    std::vector<ChannelEnv> environment;
    size_t environment_bytes = 0;
    ChannelStart start;
    std::optional<ForwardOpen> forward;  // instead of all these
    bool by_target = false;
    std::map<RecordingPart, Opening> opening;  // until stored has made all files
    std::optional<ChannelRecording> recording;
    std::optional<KeystrokeRecording> keys;
    uint64_t told_frames = 0;  // to stored, by recording_head
    uint64_t told_key_frames = 0;
    uint64_t input_credit = kInitialCredit;
    uint64_t output_credit = kInitialCredit;
    uint64_t own_bytes = 0;  // our notice, of which front has not given credit back yet
    bool input_ended = false;
    bool user_closed = false;
    bool close_told = false;  // to front, which waits for it
    bool dirty = false;       // something waits for flush
  };

  Channel* find(uint32_t number);
  bool is_allowed(const ChannelStart& start) const;
  std::optional<std::string> why_not(const ForwardOpen& open) const;
  void refuse_forward(const ForwardOpen& open, const std::string& why);
  void forget_refused(uint32_t number, Channel& channel, const std::string& text);
  void begin(uint32_t number, Channel& channel);
  Status ask_recording(uint32_t number, Channel& channel);
  Status begin_recordings(uint32_t number, Channel& channel);
  Status begin_writing(Channel& channel);
  void end_openings(uint32_t number, Channel& channel, const std::string& reason);
  void end_recording(uint32_t number, RecordingPart part, const Result<RecordingEnd>& end,
                     const std::string& reason);
  Status tell_head(uint32_t number, RecordingPart part, const RecordingEnd& head, uint64_t& told);
  static Status flush(Channel& channel);
  bool passes(const std::string& variable) const;
  size_t environment_bytes() const;
  void begin_at_back(uint32_t number, Channel& channel);
  void refuse(uint32_t number, Channel& channel, const std::string& text);
  void close_at_front(uint32_t number, Channel& channel);
  void finish(uint32_t number, Channel& channel, const std::string& reason);
  Status record(Channel& channel, Status added);
  template <class Message>
  void to_front(const Message& message) {
    staged_.push_back({&front_, encode(message), {}});
  }
  template <class Message>
  void to_back(const Message& message) {
    staged_.push_back({&back_, encode(message), {}});
  }

  struct Staged {
    Peer* peer;
    std::vector<uint8_t> bytes;
    ChannelData data;  // instead, where there are no bytes
  };
  // Data points into the message that it came in, which stays until pass_on().
  void pass_data(Peer& to, const ChannelData& data) { staged_.push_back({&to, {}, data}); }
  Peer& front_;
  Peer& back_;
  Peer& stored_;
  RecordedSession session_;
  std::map<uint32_t, Channel> channels_;
  uint32_t next_number_ = 0;
  uint32_t next_target_number_ = kFirstTargetChannel;
  bool back_is_ready_ = false;
  // What the user has asked the target for, and what it may so open towards the user.
  bool asked_agent_ = false;
  bool asked_x11_ = false;
  std::vector<ListenAsk> listening_;
  std::optional<ListenAsk> listen_asked_;     // of back, as soon as it is ready
  std::optional<ListenCancel> cancel_asked_;  // of back
  std::optional<Error> unrecorded_;
  std::vector<Staged> staged_;
  std::vector<Staged> sending_;  // kept for its memory
};

}  // namespace sallyport::monitor
