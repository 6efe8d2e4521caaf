// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/envelope.h"

#include "shared/base/hex.h"
#include "shared/crypto/age.h"
#include "shared/recording/envelope_in_place.h"
#include "shared/recording/verify.h"
#include "tests/shared/crypto/age_tool.h"
#include "tests/shared/recording/sample.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace sallyport;

namespace {

using Identities = std::vector<AgeIdentity>;

const SecretBytes& dek() {
  static const SecretBytes kDek{std::string_view("0123456789abcdef0123456789abcdef")};
  return kDek;
}

AgeIdentity copy(const AgeIdentity& identity) {
  return AgeIdentity{SecretBytes(identity.key.span())};
}

Identities list(std::initializer_list<const AgeIdentity*> all) {
  Identities identities;
  for (const AgeIdentity* one : all) {
    identities.push_back(copy(*one));
  }
  return identities;
}

std::vector<AgeRecipient> recipients(const Identities& identities) {
  std::vector<AgeRecipient> all;
  for (const AgeIdentity& one : identities) {
    all.push_back(one.recipient());
  }
  return all;
}

Identities generate(size_t count) {
  Identities all;
  for (size_t i = 0; i < count; ++i) {
    all.push_back(age_generate_identity());
  }
  return all;
}

RecordingHeader header_with(std::vector<uint8_t> envelope) {
  RecordingHeader header;
  header.node = "node";
  header.commit = commit_of(dek(), header.session);
  header.envelope = std::move(envelope);
  return header;
}

RecordingHeader sealed_to(const AgeIdentity& outer, const AgeIdentity& inner) {
  const auto envelope = seal_envelope(dek(), {{outer.recipient()}, {inner.recipient()}});
  REQUIRE(envelope);
  return header_with(*envelope);
}

std::vector<uint8_t> wrapped(std::span<const uint8_t> bytes, const AgeIdentity& identity) {
  return *age_encrypt(bytes, std::vector<AgeRecipient>{identity.recipient()});
}

Error why_closed(const RecordingHeader& header, const Identities& identities) {
  const auto opened = open_envelope(header, identities);
  REQUIRE_FALSE(opened);
  return opened.error();
}

bool says(const Error& error, std::string_view what) {
  INFO(error.message);
  return error.message.find(what) != std::string::npos;
}

RecordingHeader header_of(const MemoryFile& file) {
  return *read_header(file.changing_end().get());
}

constexpr std::string_view kVersionLine = "age-encryption.org/v1\n";

const RecordingName kSample{Id::from_hex("00112233445566778899aabbccddeeff").value(), 7};

}  // namespace

TEST_CASE("envelope: two people open it together, in either order") {
  const AgeIdentity outer = age_generate_identity();
  const AgeIdentity inner = age_generate_identity();
  const RecordingHeader header = sealed_to(outer, inner);
  CHECK(open_envelope(header, list({&outer, &inner}))->view() == dek().view());
  CHECK(open_envelope(header, list({&inner, &outer}))->view() == dek().view());
}

TEST_CASE("envelope: of two people one alone is told who is missing") {
  const AgeIdentity outer = age_generate_identity();
  const AgeIdentity inner = age_generate_identity();
  const RecordingHeader header = sealed_to(outer, inner);
  const Error first = why_closed(header, list({&outer}));
  CHECK(first.code == Errc::denied);
  CHECK(says(first, "needs a second person's identity as well (of recording.second_recipients)"));
  const Error second = why_closed(header, list({&inner}));
  CHECK(second.code == Errc::denied);
  CHECK(says(second, "the first one's identity (of recording.recipients) is missing"));
  const Error nobody = why_closed(header, generate(2));
  CHECK(nobody.code == Errc::denied);
  CHECK(says(nobody, "takes two people"));
  const Error alone = why_closed(header_with(wrapped(dek().span(), outer)), generate(1));
  CHECK(alone.code == Errc::denied);
  CHECK_FALSE(says(alone, "two people"));
}

TEST_CASE("envelope: three layers are refused, whoever asks") {
  const AgeIdentity one = age_generate_identity();
  const auto two_layers = wrapped(wrapped(dek().span(), one), one);
  CHECK(open_envelope(header_with(two_layers), list({&one})));
  const Error three = why_closed(header_with(wrapped(two_layers, one)), list({&one}));
  CHECK(three.code == Errc::corrupt);
  CHECK(says(three, "more than two layers"));
}

TEST_CASE("envelope: an inner layer that was changed, cut or made of nothing is refused") {
  const AgeIdentity one = age_generate_identity();
  const auto good = wrapped(dek().span(), one);
  for (size_t i = kVersionLine.size(); i < good.size(); ++i) {
    auto changed = good;
    changed[i] ^= 1;
    const auto opened = open_envelope(header_with(wrapped(changed, one)), list({&one}));
    REQUIRE_FALSE(opened);
    auto cut = good;
    cut.resize(i);
    const Error why = why_closed(header_with(wrapped(cut, one)), list({&one}));
    CHECK(why.code == Errc::corrupt);
    CHECK(says(why, "inner layer"));
  }
}

TEST_CASE("envelope: an inner layer with another recording's key is refused") {
  const AgeIdentity one = age_generate_identity();
  const auto inner = wrapped(as_bytes(std::string(32, 'x')), one);
  CHECK(says(why_closed(header_with(wrapped(inner, one)), list({&one})), "another recording"));
}

TEST_CASE("envelope: as many recipients as the configuration takes fit, twice") {
  const size_t count = GENERATE(size_t{60}, kAgeMaxStanzas);
  const Identities outer = generate(count);
  const Identities inner = generate(count);
  RecordingSetup setup = test_setup();
  setup.recipients = recipients(outer);
  setup.second_recipients = recipients(inner);
  const MemoryFile file;
  REQUIRE(RecordingWriter::create(file.writing_end(), setup, kTestHeader));
  const RecordingHeader header = header_of(file);
  CHECK(open_envelope(header, list({&inner.back(), &outer.front()})));
  CHECK(open_envelope(header, list({&outer.back(), &inner.front()})));
  CHECK(envelope_room(header) >= 2 * header.envelope.size());
  REQUIRE(replace_envelope(file.changing_end().get(), header.envelope));
}

TEST_CASE("envelope: whoever is in both groups could open it alone, so nobody may be") {
  const AgeIdentity one = age_generate_identity();
  const AgeIdentity two = age_generate_identity();
  const auto sealed = seal_envelope(dek(), {{one.recipient()}, {two.recipient(), one.recipient()}});
  REQUIRE_FALSE(sealed);
  CHECK(says(sealed.error(), one.recipient().text() + " is a recipient of both layers"));
  CHECK_FALSE(seal_envelope(dek(), {{}, {two.recipient()}}));
}

TEST_CASE("envelope: the stock age opens both layers, the outer one first") {
  const AgeIdentity outer = age_generate_identity();
  const AgeIdentity inner = age_generate_identity();
  RecordingSetup setup = test_setup();
  setup.recipients = {outer.recipient()};
  setup.second_recipients = {inner.recipient()};
  const MemoryFile file;
  REQUIRE(RecordingWriter::create(file.writing_end(), setup, kTestHeader));
  const TempDir dir;
  dir.write("r.brec", as_text(file.bytes()));
  dir.write("A", age_identity_file(outer).view());
  dir.write("B", age_identity_file(inner).view());
  const std::string envelope = "set -o pipefail; dd if=r.brec bs=1 skip=128 status=none count=" +
                               std::to_string(header_of(file).envelope.size());
  const auto run = [&](const std::string& rest) {
    dir.write("do.sh", envelope + rest);
    return dir.run("bash do.sh");
  };
  REQUIRE(run(" | age -d -i A | age -d -i B >dek") == 0);
  const auto ours = open_envelope(header_of(file), list({&outer, &inner}));
  CHECK(dir.read("dek") == ours->view());
  CHECK(run(" | age -d -i B 2>said | age -d -i A >dek 2>>said") != 0);
  CHECK(run(" | age -d -i A | age -d -i A >dek 2>>said") != 0);
}

TEST_CASE("envelope: ours opens what the stock age wraps twice") {
  const AgeIdentity outer = age_generate_identity();
  const AgeIdentity inner = age_generate_identity();
  const TempDir dir;
  dir.write("dek", dek().view());
  REQUIRE(dir.run("age -r " + inner.recipient().text() + " dek | age -r " +
                  outer.recipient().text() + " >envelope") == 0);
  const std::string envelope = dir.read("envelope");
  const auto bytes = as_bytes(envelope);
  CHECK(open_envelope(header_with({bytes.begin(), bytes.end()}), list({&outer, &inner})));
}

TEST_CASE("erasing: nobody opens it any more; chain and head stand; again is no error") {
  const MemoryFile file;
  file.write(sample_recording());
  const auto before = verify_recording(source_of(file.bytes()), test_identities());
  REQUIRE(before);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(erase_envelope(file.changing_end().get(), kSample));
    const Error why = why_closed(header_of(file), list({&test_identities().front()}));
    CHECK(why.code == Errc::not_found);
    CHECK(says(why, "erased"));
    const auto after = verify_recording(source_of(file.bytes()), test_identities());
    REQUIRE(after);
    CHECK(after->head == before->head);
    CHECK(after->bytes == before->bytes);
    CHECK_FALSE(after->opened);
    CHECK(is_erased(after->header));
  }
  const auto bytes = file.bytes();
  CHECK(std::all_of(bytes.begin() + 128, bytes.begin() + 1024, [](uint8_t b) { return b == 0; }));
}

TEST_CASE("erasing: another recording, another channel and other files are left alone") {
  const MemoryFile file;
  const auto bytes = sample_recording();
  file.write(bytes);
  const auto fd = file.changing_end();
  const Status channel = erase_envelope(fd.get(), {kSample.session, 8});
  REQUIRE_FALSE(channel);
  CHECK(channel.error().code == Errc::not_found);
  CHECK(says(channel.error(), "ff-7.brec by its header, not"));
  CHECK_FALSE(erase_envelope(fd.get(), {Id::random(), 7}));
  const auto appending = erase_envelope(file.writing_end().get(), kSample);
  REQUIRE_FALSE(appending);
  CHECK(says(appending.error(), "append"));
  CHECK(file.bytes() == bytes);
  for (const size_t length : {size_t{0}, size_t{15}, size_t{1000}}) {
    const MemoryFile cut;
    cut.write(std::span(bytes).first(length));
    const Status refused = erase_envelope(cut.changing_end().get(), kSample);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::corrupt);
  }
}

TEST_CASE("erasing: what a crash left of one is finished by the next") {
  auto bytes = sample_recording();
  const auto zero = [&](std::ptrdiff_t from, std::ptrdiff_t to) {
    std::fill(bytes.begin() + from, bytes.begin() + to, uint8_t{0});
  };
  SECTION("a part of the envelope") {
    zero(200, 1024);
  }
  SECTION("the envelope without its length") {
    zero(128, 1024);
  }
  SECTION("the length alone, which is not our order") {
    zero(12, 16);
  }
  const MemoryFile file;
  file.write(bytes);
  REQUIRE(erase_envelope(file.changing_end().get(), kSample));
  CHECK(is_erased(header_of(file)));
}

TEST_CASE("replacing: longer, shorter, too long; the chain's head and all frames stay") {
  const MemoryFile file;
  file.write(sample_recording());
  const auto before = verify_recording(source_of(file.bytes()), test_identities());
  REQUIRE(before);
  const auto key = open_envelope(before->header, test_identities());
  for (const size_t count : {5U, 1U, 3U}) {
    const Identities people = generate(count);
    const auto envelope = seal_envelope(*key, {recipients(people), {}});
    REQUIRE(replace_envelope(file.changing_end().get(), *envelope));
    const auto after = verify_recording(source_of(file.bytes()), list({&people.back()}));
    REQUIRE(after);
    CHECK(after->opened);
    CHECK(after->ended);
    CHECK(after->head == before->head);
    CHECK(after->header.envelope == *envelope);
    CHECK_FALSE(open_envelope(after->header, test_identities()));
  }
  const auto bytes = file.bytes();
  const auto long_one = seal_envelope(*key, {recipients(generate(20)), {}});
  const Status refused = replace_envelope(file.changing_end().get(), *long_one);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::limit);
  CHECK(file.bytes() == bytes);
}
