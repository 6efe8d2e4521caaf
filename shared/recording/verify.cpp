// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/verify.h"

#include "shared/recording/reader.h"

namespace sallyport {

namespace {

template <class Walk>
RecordingReport report(const Walk& walk, uint64_t end_us) {
  RecordingReport report;
  report.header = walk.header();
  report.frames = walk.frames();
  report.bytes = walk.offset();
  report.end_us = end_us;
  report.head = *walk.chain_head();
  report.ended = walk.ended();
  return report;
}

Result<RecordingReport> verify_chain(std::unique_ptr<ByteSource> source) {
  auto walker = RecordingWalker::open(std::move(source));
  if (!walker) {
    return std::move(walker).error();
  }
  for (uint64_t end_us = 0;;) {
    const auto frame = walker->next();
    if (!frame) {
      return frame.error();
    }
    if (!*frame) {
      return report(*walker, end_us);
    }
    end_us = (*frame)->header.t_us;
  }
}

}  // namespace

Result<RecordingReport> verify_recording(std::unique_ptr<ByteSource> source,
                                         std::span<const AgeIdentity> identities) {
  if (identities.empty()) {
    return verify_chain(std::move(source));
  }
  auto reader = RecordingReader::open(std::move(source), identities);
  if (!reader) {
    return std::move(reader).error();
  }
  for (uint64_t end_us = 0;;) {
    const auto frame = reader->next();
    if (!frame) {
      return frame.error();
    }
    if (!*frame) {
      RecordingReport found = report(*reader, end_us);
      found.opened = true;
      found.header_proven = reader->header_proven();
      return found;
    }
    end_us = (*frame)->t_us;
  }
}

}  // namespace sallyport
