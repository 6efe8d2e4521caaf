// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/log_export.h"

#include "shared/base/whole_file.h"
#include "shared/evidence/log_reader.h"
#include "tests/shared/evidence/test_log.h"
#include "tests/support/catch.h"

using namespace sallyport;
using namespace sallyport::test;

namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

// With a signature that nobody checks.
std::string note_of(const Checkpoint& checkpoint) {
  const auto zeros = [](std::string_view) -> Result<Ed25519Signature> {
    return Ed25519Signature{};
  };
  const auto note = sign_checkpoint(checkpoint, {checkpoint.origin, {}}, zeros);
  REQUIRE(note);
  return *note;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The names of files that only one has, or that differ.
std::string difference(const Files& a, const Files& b) {
  std::string names;
  for (const auto* files : {&a, &b}) {
    for (const auto& [name, bytes] : *files) {
      const Files& other = files == &a ? b : a;
      const auto found = other.find(name);
      names += found == other.end() || found->second != bytes ? name + " " : "";
    }
  }
  return names;
}

// A log whose checkpoints are files, and the place of a copy.
class Exported {
public:
  void append(const std::vector<LogEntry>& entries) {
    TileLog tiles = log.opened();
    REQUIRE(tiles.append(entries));
    log.publish(tiles);
    REQUIRE(replace_file(log / "checkpoint", note_of(*log.last)));
  }
  void grow_to(uint64_t size) { append(audit_entries(log.last ? log.last->size : 0, size)); }

  Result<ExportedLog> run() const { return run_to(to); }
  Result<ExportedLog> run_to(const std::string& folder) const {
    return export_log({log.folder(), log.folder(), std::nullopt, folder});
  }
  ExportedLog done() const {
    const auto exported = run();
    INFO((exported ? "" : exported.error().message));
    REQUIRE(exported);
    return *exported;
  }
  std::string refused() const {
    const Files before = fs::exists(to) ? files_of(to) : Files();
    const auto exported = run();
    REQUIRE(!exported);
    CHECK(difference(files_of(to), before) == "");
    return exported.error().message;
  }
  Files copied() const { return files_of(to); }
  // Of the log, without what is the bastion's own.
  Files wanted() const {
    Files files = log.files();
    std::erase_if(files, [](const auto& file) { return file.first.starts_with("pending-"); });
    return files;
  }
  std::string in_copy(const std::string& name) const { return to + "/" + name; }

  TestLog log;
  TestFolder home;
  std::string to = home / "copy";
};

LogEntry naming(LogEntry::Kind kind, const std::string& bytes) {
  LogEntry entry;
  entry.kind = kind;
  entry.time_ms = 1700000000000;
  entry.count = kind == LogEntry::Kind::heads ? 1 : 0;
  entry.hash = sha256(as_bytes(bytes));
  return entry;
}

void write_hashed(const TestLog& log, const std::string& kind, const std::string& bytes) {
  fs::create_directories(log / kind);
  REQUIRE(replace_file(log / (kind + "/" + to_hex(sha256(as_bytes(bytes)))), bytes));
}

}  // namespace

TEST_CASE("a copy of a log that grows has the files of the log") {
  Exported test;
  for (const uint64_t size : {1U, 2U, 255U, 256U, 257U, 600U, 65535U, 65536U, 65537U, 70000U}) {
    INFO(size);
    const uint64_t before = test.log.last ? test.log.last->size : 0;
    test.grow_to(size);
    const ExportedLog exported = test.done();
    CHECK(exported.size_before == before);
    CHECK(exported.size == size);
    CHECK(difference(test.copied(), test.wanted()) == "");
  }
}

TEST_CASE("a copy that is made at once is a whole log") {
  Exported test;
  test.grow_to(300);
  test.grow_to(66000);
  test.done();
  const auto contents = read_log(test.to, {});
  REQUIRE(contents);
  CHECK(contents->root_holds);
  CHECK(contents->faults.empty());
  CHECK(contents->entries == 66000);
  const Files wanted = test.wanted();
  for (const auto& [name, bytes] : test.copied()) {
    CHECK(wanted.at(name) == bytes);
  }
}

TEST_CASE("full tiles of an older copy are left alone, and come back where they are missing") {
  Exported test;
  test.grow_to(600);
  test.done();
  std::ofstream(test.in_copy("tile/0/000")) << "as it was";
  fs::remove(test.in_copy("tile/0/001"));
  fs::remove(test.in_copy("tile/entries/000"));
  test.grow_to(700);
  test.done();
  Files wanted = test.wanted();
  wanted["tile/0/000"] = "as it was";
  Files copied = test.copied();
  std::erase_if(wanted, [](const auto& file) { return file.first.ends_with(".p/88"); });
  std::erase_if(copied, [](const auto& file) { return file.first.ends_with(".p/88"); });
  CHECK(difference(copied, wanted) == "");
}

TEST_CASE("what an export left that did not end is used, and not believed") {
  Exported test;
  test.grow_to(600);
  test.done();
  fs::remove(test.in_copy("checkpoint"));
  std::ofstream(test.in_copy("tile/0/000")) << "of another log";
  struct stat before {};
  struct stat after {};
  REQUIRE(::stat(test.in_copy("tile/0/001").c_str(), &before) == 0);
  CHECK(test.done().size_before == 0);
  REQUIRE(::stat(test.in_copy("tile/0/001").c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  CHECK(difference(test.copied(), test.wanted()) == "");
}

TEST_CASE("heads files and orders come with the entries that name them") {
  Exported test;
  write_hashed(test.log, "heads", "heads that are named");
  write_hashed(test.log, "heads", "heads that are not");
  write_hashed(test.log, "orders", "an order");
  test.append({naming(LogEntry::Kind::heads, "heads that are named"),
               naming(LogEntry::Kind::heads, "heads that stored has deleted"),
               naming(LogEntry::Kind::erase, "an order")});
  test.done();
  Files wanted = test.wanted();
  wanted.erase("heads/" + to_hex(sha256(as_bytes(std::string("heads that are not")))));
  CHECK(difference(test.copied(), wanted) == "");
}

TEST_CASE("a log that is damaged leaves the copy's checkpoint as it was") {
  Exported test;
  test.grow_to(10);
  test.done();
  const std::string before = test.copied()["checkpoint"];
  std::string wrong;
  SECTION("a heads file was changed") {
    write_hashed(test.log, "heads", "some heads");
    test.append({naming(LogEntry::Kind::heads, "some heads")});
    const std::string name = "heads/" + to_hex(sha256(as_bytes(std::string("some heads"))));
    std::ofstream(test.log / name) << "others";
    wrong = "heads/";
  }
  SECTION("an order is missing") {
    test.append({naming(LogEntry::Kind::erase, "nowhere")});
    wrong = "orders/";
  }
  SECTION("an order was changed") {
    write_hashed(test.log, "orders", "an order");
    test.append({naming(LogEntry::Kind::erase, "an order")});
    const std::string name = "orders/" + to_hex(sha256(as_bytes(std::string("an order"))));
    std::ofstream(test.log / name) << "another";
    wrong = "was changed";
  }
  SECTION("an entry was changed") {
    test.grow_to(300);
    std::ofstream file(test.log / "tile/entries/000", std::ios::in | std::ios::out);
    file.seekp(40);
    file << "x";
    file.close();
    wrong = "entry 0 is not what was signed";
  }
  SECTION("a full tile was changed") {
    test.grow_to(300);
    std::ofstream(test.log / "tile/0/000") << std::string(256 * 32, 'x');
    wrong = "tile/0/000 is not what was signed";
  }
  SECTION("a partial tile was changed") {
    test.grow_to(300);
    std::ofstream(test.log / "tile/0/001.p/44") << std::string(44 * 32, 'x');
    wrong = "its tiles do not make the root";
  }
  SECTION("a bundle is missing") {
    test.grow_to(300);
    fs::remove(test.log / "tile/entries/000");
    wrong = "is missing";
  }
  const auto exported = test.run();
  REQUIRE(!exported);
  INFO(exported.error().message);
  CHECK(has(exported.error().message, "the log is damaged: "));
  CHECK(has(exported.error().message, wrong));
  CHECK(test.copied()["checkpoint"] == before);
}

TEST_CASE("a copy that the log does not continue is refused and stays as it is") {
  Exported test;
  test.grow_to(600);
  test.done();
  Checkpoint other = *test.log.last;
  std::string why;
  SECTION("it is larger") {
    other.size = 601;
    why = "has 601 entries, and our log 600";
  }
  SECTION("it is of another log") {
    other.origin = "other";
    why = "is of another log, other; this one is test";
  }
  SECTION("it has other entries") {
    other.root = sha256({});
    why = "covers 600 entries that are not the first of our log";
  }
  SECTION("it had other entries") {
    other.size = 300;
    why = "covers 300 entries that are not the first of our log";
  }
  REQUIRE(replace_file(test.in_copy("checkpoint"), note_of(other)));
  const std::string refused = test.refused();
  INFO(refused);
  CHECK(has(refused, why));
  CHECK(has(refused, "name another folder"));
}

TEST_CASE("a file that is no checkpoint is not replaced by one") {
  Exported test;
  test.grow_to(3);
  fs::create_directory(test.to);
  std::ofstream(test.in_copy("checkpoint")) << "of my game\n";
  const std::string refused = test.refused();
  CHECK(has(refused, "name a folder that is empty or has a copy of this log"));
}

TEST_CASE("no copy is made in the bastion's own folder, by whatever name") {
  Exported test;
  test.grow_to(3);
  const Files before = test.log.files();
  const std::string link = test.home / "link";
  fs::create_directory_symlink(test.log.folder(), link);
  const fs::path back = fs::current_path();
  fs::current_path(test.log.folder());
  for (const std::string& name :
       {test.log.folder(), test.log.folder() + "/", test.log / "new", test.log / "tile/../new/",
        link, link + "/new", std::string("."), std::string("new"), std::string("./new/")}) {
    INFO(name);
    const auto exported = test.run_to(name);
    REQUIRE(!exported);
    CHECK(has(exported.error().message, "is in the bastion's own "));
  }
  fs::current_path(back);
  CHECK(difference(test.log.files(), before) == "");
  CHECK(!fs::exists(test.log / "new"));
  CHECK(test.run_to(test.log.folder() + "-copy/"));
}

TEST_CASE("a link in a copy is not followed") {
  Exported test;
  test.grow_to(300);
  test.done();
  fs::remove_all(test.in_copy("tile"));
  fs::create_directory_symlink(test.log / "tile", test.in_copy("tile"));
  test.grow_to(400);
  const Files before = test.log.files();
  const auto exported = test.run();
  REQUIRE(!exported);
  CHECK(has(exported.error().message, "is behind a link"));
  CHECK(difference(test.log.files(), before) == "");
}

TEST_CASE("cosigned checkpoints come along where the log continues them") {
  Exported test;
  test.grow_to(5);
  Checkpoint other = *test.log.last;
  fs::create_directory(test.log / "cosigned");
  REQUIRE(replace_file(test.log / "cosigned/good", note_of(other)));
  other.root = sha256({});
  REQUIRE(replace_file(test.log / "cosigned/forked", note_of(other)));
  other.size = 6;
  REQUIRE(replace_file(test.log / "cosigned/larger", note_of(other)));
  REQUIRE(replace_file(test.log / "cosigned/torn", "test\n5"));
  const ExportedLog exported = test.done();
  Files wanted = test.wanted();
  for (const char* name : {"forked", "larger", "torn"}) {
    wanted.erase(std::string("cosigned/") + name);
  }
  CHECK(difference(test.copied(), wanted) == "");
  CHECK(exported.left_out.size() == 3);
}

TEST_CASE("a checkpoint that the known key has not signed is not copied") {
  Exported test;
  test.grow_to(5);
  const auto exported =
      export_log({test.log.folder(), test.log.folder(), NoteVerifier{"test", {1}}, test.to});
  REQUIRE(!exported);
  CHECK(test.copied().empty());
}
