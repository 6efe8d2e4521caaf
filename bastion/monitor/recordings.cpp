// SPDX-License-Identifier: Apache-2.0
//
// The recordings of a channel, from stored's descriptors to their ends: what went through it, and
// what was typed where a role wants that. A channel begins when it has all of them, or not at all.
#include "bastion/monitor/channels.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"

#include <algorithm>
#include <utility>

namespace sallyport::monitor {

namespace {

using Part = RecordingPart;

std::string cannot_be_recorded(const Error& error) {
  return "sallyport: this session cannot be recorded, so it is not opened: " + error.message;
}

}  // namespace

Status Channels::ask_recording(uint32_t number, Channel& channel) {
  const bool wants_keys = channel.pty && !session_.grant.key_recipients.empty();
  for (const Part part : {Part::channel, Part::keystrokes}) {
    if (part == Part::keystrokes && !wants_keys) {
      continue;
    }
    auto prepared = prepare_recording(session_, number, part);
    if (!prepared) {
      refuse(number, channel, cannot_be_recorded(prepared.error()));
      return ok();
    }
    channel.opening[part].prepared.emplace(std::move(*prepared));
  }
  channel.step = Step::recording;
  for (const auto& [part, opening] : channel.opening) {
    if (Status sent = stored_.send(OpenRecording{session_.grant.grant, session_.session, number,
                                                 part, channel.start.kind,
                                                 std::string(as_text(opening.prepared->header))});
        !sent) {
      return sent;
    }
  }
  return ok();
}

Status Channels::recording_opened(const RecordingOpened& message, std::vector<UniqueFd>& fds) {
  Channel* channel = find(message.channel);
  if (channel == nullptr || channel->step != Step::recording) {
    // The user has closed it meanwhile; stored counts what is open.
    return message.ok ? stored_.send(RecordingEnded{message.channel, message.part, 0, "", "client"})
                      : ok();
  }
  const auto opening = channel->opening.find(message.part);
  if (opening == channel->opening.end() || opening->second.file) {
    return out_of_turn("a recording");
  }
  if (!message.ok || fds.size() != 1) {
    refuse(message.channel, *channel, "sallyport: " + message.text);
    return ok();
  }
  opening->second.file = std::move(fds[0]);
  const bool all = std::all_of(channel->opening.begin(), channel->opening.end(),
                               [](const auto& one) { return static_cast<bool>(one.second.file); });
  return all ? begin_recordings(message.channel, *channel) : ok();
}

Status Channels::begin_recordings(uint32_t number, Channel& channel) {
  const Status begun = begin_writing(channel);
  if (!begun) {
    for (const auto& [part, opening] : std::exchange(channel.opening, {})) {
      (void)stored_.send(RecordingEnded{number, part, 0, "", "failed"});
    }
    refuse(number, channel, cannot_be_recorded(begun.error()));
    return ok();
  }
  channel.opening.clear();
  channel.step = Step::ready;
  if (back_is_ready_) {
    begin(number, channel);
  }
  return ok();
}

Status Channels::begin_writing(Channel& channel) {
  const RecordedChannel recorded{channel.start, channel.pty, channel.forward};
  Opening& opening = channel.opening.at(Part::channel);
  auto recording = ChannelRecording::begin(std::move(opening.file), std::move(*opening.prepared),
                                           session_, recorded);
  if (!recording) {
    return recording.error();
  }
  if (const auto of_keys = channel.opening.find(Part::keystrokes);
      of_keys != channel.opening.end()) {
    auto keys = KeystrokeRecording::begin(std::move(of_keys->second.file),
                                          std::move(*of_keys->second.prepared), session_, recorded);
    if (!keys) {
      return keys.error();
    }
    channel.keys.emplace(std::move(*keys));
  }
  channel.recording.emplace(std::move(*recording));
  return ok();
}

// Of a channel that does not begin: the files that are there already. The others are told when
// stored has made them.
void Channels::end_openings(uint32_t number, Channel& channel, const std::string& reason) {
  for (const auto& [part, opening] : std::exchange(channel.opening, {})) {
    if (opening.file) {
      (void)stored_.send(RecordingEnded{number, part, 0, "", reason});
    }
  }
}

bool Channels::has_news_for_stored() const {
  return std::any_of(channels_.begin(), channels_.end(), [](const auto& entry) {
    const Channel& channel = entry.second;
    return (channel.recording && channel.recording->so_far().frames != channel.told_frames) ||
           (channel.keys && channel.keys->so_far().frames != channel.told_key_frames);
  });
}

Status Channels::tell_heads() {
  for (auto& [number, channel] : channels_) {
    if (!channel.recording || channel.dirty) {
      continue;  // moving right now: with the next
    }
    Status told =
        tell_head(number, Part::channel, channel.recording->so_far(), channel.told_frames);
    if (told && channel.keys) {
      told = tell_head(number, Part::keystrokes, channel.keys->so_far(), channel.told_key_frames);
    }
    if (!told) {
      return told;
    }
  }
  return ok();
}

Status Channels::tell_head(uint32_t number, Part part, const RecordingEnd& head, uint64_t& told) {
  if (std::exchange(told, head.frames) == head.frames) {
    return ok();
  }
  return stored_.send(RecordingHeadIs{number, part, head.frames, head.chain_head});
}

Status Channels::flush(Channel& channel) {
  Status written = channel.recording->flush();
  return written && channel.keys ? channel.keys->flush() : std::move(written);
}

bool Channels::keys_wait() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const auto& one) { return one.second.keys && one.second.keys->waits(); });
}

Status Channels::pass_key_time() {
  for (auto& [number, channel] : channels_) {
    if (!channel.keys) {
      continue;
    }
    if (Status passed = record(channel, channel.keys->pass_time()); !passed) {
      return passed;
    }
  }
  return ok();
}

void Channels::finish(uint32_t number, Channel& channel, const std::string& reason) {
  const Step before = channel.step;
  channel.step = Step::closed;
  if (before == Step::recording) {
    end_openings(number, channel, reason);
  }
  if (before == Step::closed || before == Step::preparing || before == Step::recording) {
    return;
  }
  channel.dirty = false;
  end_recording(number, Part::channel, channel.recording->finish(), reason);
  channel.recording.reset();
  if (channel.keys) {
    end_recording(number, Part::keystrokes, channel.keys->finish(), reason);
    channel.keys.reset();
  }
}

void Channels::end_recording(uint32_t number, Part part, const Result<RecordingEnd>& end,
                             const std::string& reason) {
  if (!end) {
    log_error("a recording has no end", {{"why", end.error().message}});
    unrecorded_ = end.error();
  }
  (void)stored_.send(end ? RecordingEnded{number, part, end->frames, end->chain_head, reason}
                         : RecordingEnded{number, part, 0, "", "failed"});
}

void Channels::finish_all(const std::string& reason) {
  for (auto& [number, channel] : channels_) {
    finish(number, channel, reason);
  }
}

}  // namespace sallyport::monitor
