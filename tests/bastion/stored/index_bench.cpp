// SPDX-License-Identifier: Apache-2.0
//
// For tests/bench/index: index_bench FOLDER ROWS makes an index of so many recordings, and the same
// as JSON lines; says in one line of JSON how long that took and which questions there are; then
// answers each line of standard input (the number of a question) by the milliseconds it took, as
// stored asks: from the loop to the thread and back.
#include "bastion/stored/index/index_worker.h"
#include "shared/base/log.h"
#include "shared/ipc/peer.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

using namespace sallyport;
using namespace sallyport::stored;
using Clock = std::chrono::steady_clock;

namespace {

constexpr uint64_t kStart = 1'700'000'000'000;
constexpr uint64_t kSpan = 400ULL * 24 * 3600 * 1000;  // 400 days
constexpr uint64_t kPeople = 200;
constexpr uint64_t kTargets = 500;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double thread_cpu_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// A few have most of the sessions: number n has twice as many as number 2n.
uint64_t skewed(std::mt19937_64& random, uint64_t count) {
  const double share = std::uniform_real_distribution<>(0, 1)(random);
  return static_cast<uint64_t>(std::pow(static_cast<double>(count), share)) - 1;
}

RecordingEntry made_up(std::mt19937_64& random, uint64_t number, uint64_t count) {
  static constexpr const char* kLogins[] = {"root", "root", "deploy", "postgres", "admin"};
  static constexpr const char* kKinds[] = {"shell", "exec", "subsystem", "local-forward"};
  Id session;
  for (uint8_t& byte : session.bytes) {
    byte = static_cast<uint8_t>(random());
  }
  const uint64_t person = skewed(random, kPeople);
  RecordingEntry entry;
  entry.recording = session.hex() + "-0";
  entry.state = random() % 100 == 0 ? RecordingState::cut_off : RecordingState::ended;
  entry.person = "person" + std::to_string(person) + "@example.com";
  entry.issuer = "https://login.example.com/realms/staff";
  entry.subject = "8d1f0c5e-6a52-4f0e-9f0b-" + std::to_string(100'000'000'000 + person);
  entry.target = "target" + std::to_string(skewed(random, kTargets));
  entry.login = kLogins[random() % std::size(kLogins)];
  entry.address = "192.0." + std::to_string(person) + "." + std::to_string(random() % 256) + ":" +
                  std::to_string(32768 + random() % 28000);
  entry.fingerprint = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4U" + std::to_string(person);
  entry.kind = kKinds[random() % std::size(kKinds)];
  entry.start_ms = kStart + kSpan / count * number;
  entry.end_ms = entry.start_ms + random() % 3'600'000;
  entry.bytes = random() % 10'000'000;
  entry.frames = entry.bytes / 2000;
  entry.reason = "closed";
  entry.chain_head = std::string(32, static_cast<char>(random()));
  return entry;
}

// The same words as in the message, for grep.
std::string json_line(const RecordingEntry& entry) {
  const nlohmann::ordered_json json = {{"recording", entry.recording},
                                       {"state", static_cast<int>(entry.state)},
                                       {"person", entry.person},
                                       {"issuer", entry.issuer},
                                       {"subject", entry.subject},
                                       {"target", entry.target},
                                       {"login", entry.login},
                                       {"address", entry.address},
                                       {"fingerprint", entry.fingerprint},
                                       {"kind", entry.kind},
                                       {"start_ms", entry.start_ms},
                                       {"end_ms", entry.end_ms},
                                       {"bytes", entry.bytes},
                                       {"frames", entry.frames},
                                       {"reason", entry.reason}};
  return json.dump() + "\n";
}

struct Question {
  const char* title;
  std::vector<std::string> patterns;  // of grep -E, one after the other
  RecordingsFind wanted;
  bool is_sent = false;  // over a socket, too
};

std::vector<Question> questions() {
  const std::string often = "person1@example.com";
  const std::string seldom = "person180@example.com";
  const auto make = [](const char* title, std::vector<std::string> patterns,
                       const std::function<void(RecordingsFind&)>& set) {
    Question question{title, std::move(patterns), {}, false};
    question.wanted.limit = 100;
    set(question.wanted);
    return question;
  };
  const auto whole_day = [](RecordingsFind& w) {
    w.since_ms = 1'715'000'000'000;
    w.until_ms = 1'715'100'000'000;
  };
  const std::string day = R"("start_ms":17150)";
  std::vector<Question> all = {
      make("person, often here", {R"("person":")" + often + "\""},
           [&](auto& w) { w.person = often; }),
      make("person, seldom here", {R"("person":")" + seldom + "\""},
           [&](auto& w) { w.person = seldom; }),
      make("target", {R"("target":"target300")"}, [](auto& w) { w.target = "target300"; }),
      make("time: 28 hours", {day}, whole_day),
      make("person and target", {R"("person":")" + often + "\"", R"("target":"target3")"},
           [&](auto& w) {
             w.person = often;
             w.target = "target3";
           }),
      make("person, target and time",
           {day, R"("person":")" + often + "\"", R"("target":"target0")"},
           [&](auto& w) {
             whole_day(w);
             w.person = often;
             w.target = "target0";
           }),
      make("person and a login that nobody has", {R"("person":")" + often + "\"", R"("login":"x")"},
           [&](auto& w) {
             w.person = often;
             w.login = "x";
           }),
      make("target and a fingerprint that is elsewhere",
           {R"("target":"target0")", R"("fingerprint":"x")"},
           [&](auto& w) {
             w.target = "target0";
             w.fingerprint = "x";
           }),
      make("address, its beginning", {R"("address":"192\.0\.18)"},
           [](auto& w) { w.address = "192.0.18"; }),
      make("session, its beginning", {R"("recording":"abc)"}, [](auto& w) { w.recording = "abc"; }),
      make("cut off", {R"("state":3)"}, [](auto& w) { w.state = RecordingState::cut_off; }),
      make("the newest 10,000", {}, [](auto& w) { w.limit = 10'000; }),
      make("a person's, 10,000 of them", {R"("person":"person0@example.com")"},
           [](auto& w) {
             w.person = "person0@example.com";
             w.limit = 10'000;
           }),
      make("the newest 10,000, to another process", {}, [](auto& w) { w.limit = 10'000; }),
  };
  all.back().is_sent = true;
  return all;
}

std::vector<RecordingEntry> fill(const std::string& folder, uint64_t count) {
  std::mt19937_64 random(1);
  std::ofstream lines(folder + "/rows.jsonl");
  std::vector<RecordingEntry> rows;
  for (uint64_t i = 0; i < count; ++i) {
    rows.push_back(made_up(random, i, count));
    lines << json_line(rows.back());
  }
  return rows;
}

template <class T>
T need(Result<T> result) {
  if (!result) {
    fatal(result.error().message);
  }
  return std::move(*result);
}

// As sallyportctl reads them: until the answer has come.
void read_entries(Peer peer) {
  size_t entries = 0;
  for (;;) {
    const Received received = need(receive_waiting(peer, 10'000));
    if (received.type == MessageType::answer) {
      need(peer.send(Answer{true, std::to_string(entries)}));
      continue;
    }
    entries += need(decode_as<RecordingEntry>(received)).start_ms != 0 ? 1 : 0;
  }
}

class Bench {
public:
  Bench(const std::string& folder, Peer reader)
      : reader_(std::move(reader)), worker_(loop_, folder + "/index.db") {}

  double open() {
    const auto start = Clock::now();
    ask({});
    return ms_since(start);
  }
  double rebuild(std::vector<RecordingEntry> rows) {
    const auto start = Clock::now();
    worker_.begin_rebuild();
    worker_.finish_rebuild(std::move(rows), [&](const Status& done) {
      need(done);
      loop_.stop();
    });
    loop_.run();
    return ms_since(start);
  }
  // The processor's time: what the calls wait for is a core, which the thread beside them takes.
  double one_by_one(const std::vector<RecordingEntry>& rows) {
    const double start = thread_cpu_ms();
    for (const RecordingEntry& row : rows) {
      worker_.put(row);
    }
    return thread_cpu_ms() - start;
  }
  size_t ask(const RecordingsFind& wanted) {
    need(worker_.find(wanted, [&](auto found) {
      found_ = need(std::move(found));
      loop_.stop();
    }));
    loop_.run();
    return found_.size();
  }
  void send_found() {
    for (const RecordingEntry& entry : found_) {
      need(reader_.send(entry));
    }
    need(reader_.send(Answer{true, ""}));
    while (reader_.wants_write()) {
      pollfd ready{reader_.fd(), POLLOUT, 0};
      ::poll(&ready, 1, -1);
      need(reader_.flush());
    }
    need(receive_waiting(reader_, 10'000));
  }

private:
  EventLoop loop_;
  Peer reader_;
  IndexWorker worker_;
  std::vector<RecordingEntry> found_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "index_bench FOLDER ROWS\n";
    return 2;
  }
  log_start("bench");
  const std::string folder = argv[1];
  auto pair = need(make_peer_pair());
  if (::fork() == 0) {
    pair.second.reset();
    read_entries(Peer(std::move(pair.first)));
  }
  pair.first.reset();
  auto rows = fill(folder, std::stoull(argv[2]));
  nlohmann::ordered_json said;
  {
    Bench bench(folder, Peer());
    bench.open();
    said["put_1000_ms"] = bench.one_by_one(
        {rows.begin(), rows.begin() + std::min<std::ptrdiff_t>(1000, std::ssize(rows))});
    said["rebuild_ms"] = bench.rebuild(std::move(rows));
  }
  Bench bench(folder, Peer(std::move(pair.second)));
  said["open_ms"] = bench.open();
  said["bytes"] = std::filesystem::file_size(folder + "/index.db");
  const auto all = questions();
  for (const Question& question : all) {
    said["questions"].push_back({{"title", question.title},
                                 {"patterns", question.patterns},
                                 {"limit", question.wanted.limit},
                                 {"found", bench.ask(question.wanted)}});
  }
  std::cout << said.dump() << std::endl;
  for (size_t number = 0; std::cin >> number && number < all.size();) {
    const auto start = Clock::now();
    bench.ask(all[number].wanted);
    if (all[number].is_sent) {
      bench.send_found();
    }
    std::cout << ms_since(start) << std::endl;
  }
  return 0;
}
