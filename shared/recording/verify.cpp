// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/verify.h"

#include "shared/recording/envelope.h"
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

template <class Walk>
void tell(const HeadWatcher& watch, const Walk& walk) {
  if (watch) {
    watch(walk.frames(), *walk.chain_head());
  }
}

Result<RecordingReport> verify_chain(std::unique_ptr<ByteSource> source, const HeadWatcher& watch) {
  auto walker = RecordingWalker::open(std::move(source));
  if (!walker) {
    return std::move(walker).error();
  }
  tell(watch, *walker);
  for (uint64_t end_us = 0;;) {
    const auto frame = walker->next();
    if (!frame) {
      return frame.error();
    }
    if (!*frame) {
      return report(*walker, end_us);
    }
    end_us = (*frame)->header.t_us;
    tell(watch, *walker);
  }
}

bool was_erased(ByteSource& source) {
  std::vector<uint8_t> start(brec::kMaxHeaderBytes);
  const auto got = source.read_at(0, start);
  const auto header = decode_header(std::span(start).first(got ? *got : 0));
  return header && is_erased(*header);
}

}  // namespace

Result<RecordingReport> verify_recording(std::unique_ptr<ByteSource> source,
                                         std::span<const AgeIdentity> identities,
                                         const HeadWatcher& watch) {
  if (identities.empty() || was_erased(*source)) {
    return verify_chain(std::move(source), watch);
  }
  auto reader = RecordingReader::open(std::move(source), identities);
  if (!reader) {
    return std::move(reader).error();
  }
  tell(watch, *reader);
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
    tell(watch, *reader);
  }
}

}  // namespace sallyport
