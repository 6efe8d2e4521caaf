// SPDX-License-Identifier: Apache-2.0
//
// stored: the folder of recordings and the node log, which says what is in it. It opens, and the
// monitors append; it can delete, and can neither read nor forge what is written there.
#include "bastion/stored/heads_entries.h"
#include "bastion/stored/recovery.h"
#include "bastion/stored/server.h"
#include "bastion/stored/unsigned_entries.h"
#include "shared/base/log.h"
#include "shared/base/whole_file.h"
#include "shared/ipc/sandbox.h"

#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <limits>

namespace {

using namespace sallyport;

// One per session.
constexpr uint64_t kMaxDescriptors = 64 * 1024;

int refuse(const Error& error) {
  log_error("cannot start", {{"why", error.message}});
  return 1;
}

void build_index_anew(stored::Server& server) {
  server.reindex([](const Status& done) {
    log_info("the index was built anew", {{"result", done ? "done" : done.error().message}});
  });
}

// What an earlier stored has left: recordings without an end in the log, and files that are none.
// Beside the work, as there may be many.
void look_after(Workers& workers, stored::RecordingsFolder& folder, const stored::NodeLog& log,
                stored::EndEntries& ends, const std::vector<std::string>& file_names,
                stored::Server& server) {
  const bool taken = workers.submit([&, file_names, size = log.size()] {
    const auto logged = stored::logged_recordings(log.folder(), size);
    const bool were_foreign = logged && stored::set_aside_foreign(folder, file_names, *logged) > 0;
    return [&ends, &server, logged, were_foreign] {
      if (were_foreign) {
        build_index_anew(server);
      }
      if (!logged) {
        log_error("the node log cannot be read", {{"why", logged.error().message}});
        return;
      }
      for (const auto& [name, ended] : logged->ended) {
        if (!ended) {
          ends.look_and_enter(name, "lost");
        }
      }
    };
  });
  if (!taken) {
    fatal("no worker takes the first job");
  }
}

constexpr std::chrono::hours kHouseInterval{1};

void keep_house(EventLoop& loop, Workers& workers, const stored::NodeLog& log,
                stored::Eraser& eraser) {
  eraser.finish_all();
  const bool taken = workers.submit([&log, size = log.signed_size()] {
    stored::remove_old_heads_files(log.folder(), size);
    return [] {};
  });
  if (!taken) {
    log_warning("old heads files are left for the next hour", {});
  }
  loop.call_after(kHouseInterval, [&] { keep_house(loop, workers, log, eraser); });
}

// 0: there is no such file.
uint64_t modified_ms(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0
             ? static_cast<uint64_t>(info.st_mtim.tv_sec) * 1000 +
                   static_cast<uint64_t>(info.st_mtim.tv_nsec) / 1'000'000
             : 0;
}

// While this file is away the index may lack what was put last.
std::string clean_mark(const Config& config) {
  return config.state_path("stored") + "/index.clean";
}

bool take_clean_mark(const Config& config) {
  return ::unlink(clean_mark(config).c_str()) == 0;
}

void mark_clean(const Config& config) {
  if (const Status marked = replace_file(clean_mark(config), ""); !marked) {
    log_warning("the index will be built anew", {{"why", marked.error().message}});
  }
}

struct Folders {
  stored::RecordingsFolder recordings;
  std::vector<std::string> file_names;  // before anybody can make a new one
  stored::FactsFolder facts;
  stored::LegalHolds holds;
};

Result<Folders> open_folders(const Config& config) {
  auto recordings = stored::RecordingsFolder::open(config.recordings_path());
  if (!recordings) {
    return recordings.error();
  }
  auto file_names = recordings->file_names();
  if (!file_names) {
    return file_names.error();
  }
  auto facts = stored::FactsFolder::open(config.state_path("stored") + "/facts");
  if (!facts) {
    return facts.error();
  }
  auto holds = stored::LegalHolds::open(config.state_path("stored") + "/holds");
  if (!holds) {
    return holds.error();
  }
  return Folders{std::move(*recordings), std::move(*file_names), std::move(*facts),
                 std::move(*holds)};
}

int serve(const Config& config) {
  EventLoop loop;
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
  auto folders = open_folders(config);
  if (!folders) {
    return refuse(folders.error());
  }
  stored::UnsignedEntries unsigned_entries(
      {folders->recordings, config.log_path(), folders->holds, config.node, config.erasure});
  const auto keep = [&](const LogEntry& entry, uint64_t signed_size) {
    return unsigned_entries.may_stay(entry, signed_size);
  };
  const uint64_t last_signed_ms = modified_ms(config.log_path() + "/checkpoint");
  const auto log = stored::NodeLog::open(
      {config.log_path(), config.recordings_path(), config.socket_path("keyd")}, keep,
      config.witnesses.empty() ? stored::NodeLog::Signing::at_once
                               : stored::NodeLog::Signing::held);
  if (!log) {
    return refuse(log.error());
  }
  const bool was_clean = take_clean_mark(config);
  stored::IndexWorker index(loop, config.state_path("stored") + "/index.db");
  Workers workers(loop, 1, std::numeric_limits<size_t>::max());
  stored::EndEntries ends(loop, workers, folders->recordings, **log, index);
  stored::Eraser eraser(loop, workers,
                        {folders->recordings, **log, folders->facts, index, folders->holds},
                        config.node, config.erasure);
  stored::Retention retention(loop, index, eraser, config.node, stored::retention_rules(config),
                              last_signed_ms);
  auto witness_listener =
      config.witnesses.empty() ? Result(UniqueFd()) : listen_peer(config.witness_socket_path());
  auto listener = listen_peer(config.socket_path("stored"));
  if (!listener || !witness_listener) {
    return refuse((listener ? witness_listener : listener).error());
  }
  stored::WitnessDesk witnesses(loop, config, **log, std::move(*witness_listener));
  stored::Server server(loop, config, folders->recordings, **log, folders->facts, ends, index,
                        workers, witnesses, {folders->holds, eraser, retention},
                        std::move(*listener));
  look_after(workers, folders->recordings, **log, ends, folders->file_names, server);
  keep_house(loop, workers, **log, eraser);
  if (!was_clean) {
    build_index_anew(server);
  }
  ::sd_notify(0, "READY=1");
  loop.run();
  mark_clean(config);
  (*log)->stop();
  witnesses.finish();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sallyport's keeper of recordings; sallyportd or systemd starts it"};
  std::string config_path = kDefaultConfigPath;
  app.add_option("--config", config_path, "configuration file or directory");
  CLI11_PARSE(app, argc, argv);
  log_start("stored");
  harden_process();
  limit_descriptors(kMaxDescriptors);
  const auto config = load_config(config_path);
  if (!config) {
    return refuse(config.error());
  }
  drop_to_user(kStoredUser);
  return serve(*config);
}
