// SPDX-License-Identifier: Apache-2.0
//
// What happens on one channel becomes a BREC file. With a terminal everything that the target
// prints is text of the asciicast. Without one, text is text, and what is no text (an archive, an
// image) goes into binary frames from the first read that shows it, as do all input and forwarded
// connections; of those the role bounds how much (kept_stream.h).
#pragma once

#include "bastion/monitor/kept_stream.h"
#include "bastion/monitor/recording_start.h"
#include "shared/base/result.h"
#include "shared/recording/writer.h"

#include <chrono>
#include <string_view>

namespace sallyport::monitor {

class ChannelRecording {
public:
  // `file` has the header already.
  static Result<ChannelRecording> begin(UniqueFd file, NewRecording recording,
                                        const RecordedSession& of, const RecordedChannel& channel);

  Status add_output(Stream stream, std::string_view bytes);
  Status add_input(std::string_view bytes);  // channels without a terminal only
  Status add_resize(uint32_t columns, uint32_t rows);
  Status add_exit(uint32_t status);
  Status flush();  // write(2) has returned before this does
  // After the frames that are written; add and flush first.
  RecordingEnd so_far() const;
  Result<RecordingEnd> finish();

private:
  enum class Kind { terminal, stream, forward };
  ChannelRecording(RecordingWriter writer, Kind kind, Allowance allowance);
  uint64_t now_us() const;
  Status add_text(Stream stream, std::string_view bytes);

  RecordingWriter writer_;
  Kind kind_;
  Allowance allowance_;
  KeptStream input_;
  KeptStream output_;
  KeptStream error_;
  bool is_binary_[2] = {false, false};  // output, error
  Stream text_of_ = Stream::output;     // whose text the last "o" is
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace sallyport::monitor
