// SPDX-License-Identifier: Apache-2.0
#include "shared/base/hex.h"
#include "shared/crypto/age.h"
#include "shared/recording/file_name.h"
#include "shared/recording/frame_sealer.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

using namespace sallyport;

namespace {

// A file whose frames are what the test says, sealed with the right key: what a broken or taken
// over recorder could write.
class Forgery {
public:
  Forgery()
      : dek_(32),
        header_(make_header(dek_)),
        sealer_(payload_key(dek_, header_.session), header_.first_head) {}

  Forgery& add(FrameType type, uint8_t flags, std::span<const uint8_t> plaintext) {
    sealer_.seal(type, flags, 0, plaintext, file_);
    return *this;
  }
  // The end frame and the trailer, saying that reading can begin at `segments`.
  Forgery& end_with(uint64_t raw_bytes, const std::vector<Segment>& segments) {
    EndRecord record{frames(), raw_bytes, 0, head(), {}};
    for (const Segment& segment : segments) {
      record.segments.add(segment);
    }
    const uint64_t offset = file_.size();
    std::vector<uint8_t> plaintext;
    Compressor().once(as_bytes(encode_end_record(record)), plaintext);
    add(FrameType::end, 0, plaintext);
    file_.resize(file_.size() + 16);
    const auto trailer = std::span(file_).last(16);
    put_le(trailer, record.frames, 8);
    put_le(trailer.subspan(8), offset, 8);
    file_.insert(file_.end(), brec::kTrailerMagic.begin(), brec::kTrailerMagic.end());
    return *this;
  }
  const std::vector<uint8_t>& file() const { return file_; }
  std::string error() const { return read_back(file_).error; }
  uint64_t frames() const { return sealer_.frames(); }
  std::string head() const { return to_hex(sealer_.head()); }

private:
  RecordingHeader make_header(const SecretBytes& dek) {
    RecordingHeader header;
    header.session = Id::random();
    header.node = "n";
    header.commit = commit_of(dek, header.session);
    header.envelope =
        *age_encrypt(dek.span(), std::vector<AgeRecipient>{test_identities().front().recipient()});
    file_ = *encode_header(header);
    return *decode_header(file_);
  }

  std::vector<uint8_t> file_;
  SecretBytes dek_;
  RecordingHeader header_;
  FrameSealer sealer_;
};

std::vector<uint8_t> zstd(const std::string& text) {
  std::vector<uint8_t> out;
  Compressor().once(as_bytes(text), out);
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("recording file names: one for one recording, and nothing else is one") {
  const Id id = Id::from_hex("00112233445566778899aabbccddeeff").value();
  const std::string name = recording_file_name({id, 4294967295});
  CHECK(name == "00112233445566778899aabbccddeeff-4294967295.brec");
  CHECK(parse_recording_file_name(name) == RecordingName{id, 4294967295});
  const RecordingName typed{id, 0, RecordingPart::keystrokes};
  CHECK(recording_file_name(typed) == "00112233445566778899aabbccddeeff-0k.brec");
  CHECK(parse_recording_file_name(recording_file_name(typed)) == typed);
  for (const char* other :
       {"", ".brec", "00112233445566778899aabbccddeeff-.brec",
        "00112233445566778899aabbccddeeff-01.brec", "00112233445566778899aabbccddeeff-0.brec.",
        "00112233445566778899AABBCCDDEEFF-0.brec", "00112233445566778899aabbccddeeff-0.BREC",
        "00112233445566778899aabbccddeeff-4294967296.brec",
        "00112233445566778899aabbccddeeff0.brec", "00112233445566778899aabbccddeeff--1.brec",
        "00112233445566778899aabbccddeeff-+1.brec", "../0112233445566778899aabbccddeeff-0.brec",
        "00112233445566778899aabbccddeef-00.brec", "00112233445566778899aabbccddeeff-k.brec",
        "00112233445566778899aabbccddeeff-0kk.brec", "00112233445566778899aabbccddeeff-00k.brec",
        "00112233445566778899aabbccddeeff-0K.brec", "00112233445566778899aabbccddeeffk-0.brec"}) {
    INFO(other);
    CHECK_FALSE(parse_recording_file_name(other));
  }
}

TEST_CASE("recording frames: header fields that no writer gives are refused") {
  const FrameHeader good{16, FrameType::data, 1, 5};
  CHECK(decode_frame_header(encode_frame_header(good)));
  CHECK_FALSE(decode_frame_header(encode_frame_header({15, FrameType::data, 0, 5})));
  CHECK_FALSE(decode_frame_header(encode_frame_header({1024 * 1024 + 1, FrameType::data, 0, 5})));
  CHECK_FALSE(decode_frame_header(encode_frame_header({16, FrameType::data, 2, 5})));
  CHECK_FALSE(decode_frame_header(encode_frame_header({16, FrameType::bytes, 1, 5})));
  CHECK_FALSE(decode_frame_header(encode_frame_header({16, static_cast<FrameType>('X'), 0, 5})));
  auto bytes = encode_frame_header(good);
  bytes[6] = 1;
  CHECK_FALSE(decode_frame_header(bytes));
}

TEST_CASE("recording: a text stream that does not begin, or ends twice, is refused") {
  const auto text = zstd("text");
  CHECK(Forgery().add(FrameType::data, 1, text).error().empty());
  CHECK(has(Forgery().add(FrameType::data, 0, text).error(), "frame 0"));
  CHECK(has(Forgery().add(FrameType::data, 1, text).add(FrameType::data, 0, text).error(),
            "frame 1"));
  auto twice = text;
  twice.insert(twice.end(), text.begin(), text.end());
  CHECK(has(Forgery().add(FrameType::data, 1, twice).error(), "after its end"));
  CHECK_FALSE(Forgery().add(FrameType::data, 1, as_bytes("no zstd")).error().empty());
  CHECK_FALSE(Forgery().add(FrameType::text, 0, std::span(text).first(6)).error().empty());
}

TEST_CASE("recording: a frame that inflates without end stops at 16 MiB") {
  CHECK(Forgery().add(FrameType::text, 0, zstd(std::string(16 << 20, 'a'))).error().empty());
  CHECK(has(Forgery().add(FrameType::text, 0, zstd(std::string((16 << 20) + 1, 'a'))).error(),
            "16 MiB"));
  CHECK(has(Forgery().add(FrameType::data, 1, zstd(std::string(17 << 20, 'a'))).error(), "16 MiB"));
}

TEST_CASE("recording: a window above 128 KiB is refused") {
  const Handle<ZSTD_CCtx, ZSTD_freeCCtx> context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 18);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  const std::string text(400'000, 'a');
  std::vector<uint8_t> out(ZSTD_compressBound(text.size()));
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (size_t at = 0; at < text.size(); at += 100'000) {
    ZSTD_inBuffer in{text.data() + at, 100'000, 0};
    ZSTD_compressStream2(context.get(), &to, &in,
                         at + 100'000 < text.size() ? ZSTD_e_continue : ZSTD_e_end);
  }
  out.resize(to.pos);
  CHECK_FALSE(Forgery().add(FrameType::data, 1, out).error().empty());
}

TEST_CASE("recording: bytes frames need a direction and a coding") {
  CHECK(Forgery().add(FrameType::bytes, 0, std::vector<uint8_t>{2, 0, 'a'}).error().empty());
  CHECK_FALSE(Forgery().add(FrameType::bytes, 0, std::vector<uint8_t>{3, 0}).error().empty());
  CHECK_FALSE(Forgery().add(FrameType::bytes, 0, std::vector<uint8_t>{0, 2}).error().empty());
  CHECK_FALSE(Forgery().add(FrameType::bytes, 0, std::vector<uint8_t>{0}).error().empty());
  CHECK_FALSE(Forgery().add(FrameType::bytes, 0, {}).error().empty());
}

TEST_CASE("recording: an end frame that says something else is refused") {
  const Forgery empty;
  const auto end = [&](uint64_t frames, uint64_t raw, bool right_head) {
    Forgery file;
    EndRecord record{frames, raw, 0, right_head ? file.head() : empty.head(), {}};
    return file.add(FrameType::end, 0, zstd(encode_end_record(record))).error();
  };
  CHECK(end(0, 0, true).empty());
  CHECK_FALSE(end(1, 0, true).empty());
  CHECK_FALSE(end(0, 1, true).empty());
  CHECK_FALSE(end(0, 0, false).empty());
  CHECK_FALSE(Forgery().add(FrameType::end, 0, zstd("{}")).error().empty());
  CHECK_FALSE(Forgery().add(FrameType::end, 0, zstd("[[[[")).error().empty());
}

TEST_CASE("recording: the segment list stays bounded, from the first to the last") {
  SegmentList list;
  for (uint64_t i = 0; i < 100'000; ++i) {
    list.add(Segment{i * 10, i, i, i});
  }
  CHECK(list.all().size() <= brec::kMaxSegments);
  CHECK(list.all().size() > brec::kMaxSegments / 2);
  CHECK(list.all().front().number == 0);
  CHECK(list.all().back().number == 99'999);
  const EndRecord record{1, 2, 3, "ab", list};
  const auto back = decode_end_record(encode_end_record(record));
  REQUIRE(back);
  CHECK(back->segments.all() == list.all());
  CHECK(zstd(encode_end_record(record)).size() < brec::kMaxBodyBytes);
}

TEST_CASE("recording: an end frame must list the segments that are there") {
  const auto text = zstd("[0,\"o\",\"a\"]\n");
  Forgery begun;
  const uint64_t first = begun.file().size();
  begun.add(FrameType::data, 1, text);
  const uint64_t second = begun.file().size();
  begun.add(FrameType::data, 1, text);
  const auto error_of = [&](const std::vector<Segment>& segments) {
    Forgery file;
    file.add(FrameType::data, 1, text).add(FrameType::data, 1, text).end_with(24, segments);
    return file.error();
  };
  const Segment one{0, first, 0, 0};
  const Segment two{0, second, 12, 1};
  CHECK(error_of({one, two}).empty());
  CHECK(has(error_of({two}), "segments"));  // hides what is before
  CHECK(has(error_of({}), "segments"));
  CHECK(has(error_of({one, two, two}), "segments"));
  CHECK(has(error_of({one, {0, second + 1, 12, 1}}), "segments"));
  CHECK(has(error_of({one, {0, second, 12, 2}}), "segments"));
  CHECK(has(error_of({one, {5, second, 12, 1}}), "segments"));
}

TEST_CASE("recording: a list of so many segments that some are left out still agrees") {
  const MemoryFile file;
  RecordingWriter writer = start_writer(file);
  for (uint64_t i = 1; i <= 2 * brec::kMaxSegments + 200; ++i) {
    REQUIRE(writer.add_event(i * brec::kSegmentUs, 'o', "x"));
    REQUIRE(writer.flush());
    if (writer.at_segment_end() && i % 3 == 0) {
      REQUIRE(writer.add_screen(i * brec::kSegmentUs, "x"));
    }
  }
  REQUIRE(writer.finish());
  const ReadBack got = read_back(file.bytes());
  CHECK(got.error.empty());
  CHECK(got.ended);
}
