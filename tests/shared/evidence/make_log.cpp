// SPDX-License-Identifier: Apache-2.0
//
// For end-to-end tests: a node log, by the product's own tree. Usage: make_log FOLDER NAME SEED
// Reads entries, one a line, and appends them; a line "sign" writes the tiles and a checkpoint that
// is signed with the key made from SEED. The folder may have a log already. Prints the key for who
// verifies.
#include "shared/base/hex.h"
#include "shared/base/whole_file.h"
#include "shared/evidence/log_entry.h"
#include "shared/evidence/tile_log.h"

#include <openssl/evp.h>

#include <cstdio>
#include <iostream>
#include <string>

using namespace sallyport;

namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "make_log: %s\n", what.c_str());
  std::exit(1);
}

Key key_of(const std::string& seed) {
  const auto bytes = sha256(as_bytes(seed));
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()));
}

Result<Ed25519Signature> sign(EVP_PKEY* key, std::string_view message) {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  Ed25519Signature signature{};
  size_t length = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, as_bytes(message).data(),
                     message.size()) != 1) {
    return Error{Errc::internal, "cannot sign"};
  }
  return signature;
}

std::optional<Checkpoint> last_checkpoint(const std::string& folder) {
  const auto bytes = read_file(folder + "/checkpoint", kMaxNoteBytes);
  const auto note = bytes ? parse_note(*bytes) : Result<Note>(bytes.error());
  const auto checkpoint = note ? parse_checkpoint(note->text) : Result<Checkpoint>(note.error());
  return checkpoint ? std::optional(*checkpoint) : std::nullopt;
}

void write_checkpoint(TileLog& log, const std::string& folder, const NoteVerifier& verifier,
                      EVP_PKEY* key) {
  const TileFiles files = log.files();
  if (const Status written = write_tile_files(folder, files); !written) {
    die(written.error().message);
  }
  const auto note = sign_checkpoint({verifier.name, files.size, files.root}, verifier,
                                    [key](std::string_view message) { return sign(key, message); });
  if (!note || !replace_file(folder + "/checkpoint", *note)) {
    die("cannot write the checkpoint");
  }
  remove_obsolete(folder, files);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    die("three arguments");
  }
  const std::string folder = argv[1];
  const Key key = key_of(argv[3]);
  NoteVerifier verifier{argv[2], {}};
  size_t length = verifier.key.size();
  EVP_PKEY_get_raw_public_key(key.get(), verifier.key.data(), &length);
  auto log = TileLog::open(folder, last_checkpoint(folder));
  if (!log) {
    die(log.error().message);
  }
  std::vector<LogEntry> entries;
  for (std::string line; std::getline(std::cin, line);) {
    const auto entry = parse_log_entry(line);
    if (line != "sign" && !entry) {
      die(entry.error().message);
    }
    if (entry) {
      entries.push_back(*entry);
      continue;
    }
    if (const Status appended = log->append(entries); !appended) {
      die(appended.error().message);
    }
    entries.clear();
    write_checkpoint(*log, folder, verifier, key.get());
  }
  if (const Status appended = log->append(entries); !appended) {
    die(appended.error().message);
  }
  std::printf("%s\n", verifier.text().c_str());
  return 0;
}
