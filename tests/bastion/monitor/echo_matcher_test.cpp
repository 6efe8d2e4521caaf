// SPDX-License-Identifier: Apache-2.0
//
// What was echoed is recorded exactly; what was not leaves one marker and nothing else. The output
// is what the programs printed on a Debian 12, in the reads in which it came.
#include "bastion/monitor/echo_matcher.h"

#include "tests/support/catch.h"

#include <string>

using namespace sallyport;
using monitor::EchoMatcher;
using monitor::KeyEvent;

namespace {

constexpr uint64_t kTick = 10'000;  // between what happens, in microseconds
constexpr const char* kMark = "[not echoed]";

// A channel at which things happen one after the other.
struct Typing {
  EchoMatcher matcher;
  uint64_t now = 1'000'000;
  std::vector<KeyEvent> events;

  Typing& type(std::string_view keys) {
    matcher.typed(now += kTick, keys);
    return keep();
  }
  Typing& print(std::string_view output) {
    matcher.printed(now += kTick, output);
    return keep();
  }
  // Each key echoed before the next is typed.
  Typing& echoed(std::string_view keys) {
    for (const char key : keys) {
      type({&key, 1}).print({&key, 1});
    }
    return *this;
  }
  Typing& unechoed(std::string_view keys) {
    for (const char key : keys) {
      type({&key, 1});
    }
    return *this;
  }
  Typing& wait_ms(uint64_t ms) {
    now += ms * 1000;
    return *this;
  }
  Typing& timer() {
    matcher.pass_time(now);
    return keep();
  }
  Typing& keep() {
    for (KeyEvent& event : matcher.take()) {
      events.push_back(std::move(event));
    }
    return *this;
  }
  std::string recorded() {
    matcher.finish();
    keep();
    std::string all;
    for (const KeyEvent& event : events) {
      all += event.keys.empty() ? kMark : event.keys;
    }
    return all;
  }
};

}  // namespace

// --- what is echoed

TEST_CASE("a line that the kernel echoes is recorded, with its time of each key") {
  Typing typing;
  typing.print("$ ").echoed("ls").type("\r").print("\r\n").print("file\r\n$ ");
  REQUIRE(typing.events.size() == 3);
  CHECK(typing.events[0].t_us + 2 * kTick == typing.events[1].t_us);
  CHECK(typing.recorded() == "ls\r");
}

TEST_CASE("a line in one read is recorded when its echo has come, in whatever reads") {
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{100}}) {
    Typing typing;
    typing.type("echo hello\r");
    CHECK(typing.events.empty());
    const std::string echo = "echo hello\r\n\x1b[?2004l\rhello\r\n";
    for (size_t at = 0; at < echo.size(); at += piece) {
      typing.print(std::string_view(echo).substr(at, piece));
    }
    CHECK(typing.recorded() == "echo hello\r");
  }
}

TEST_CASE("escape sequences around and within an echo do not matter") {
  const std::string typed = "echo hi";
  CHECK(Typing()
            .type("\x1b[200~" + typed + "\x1b[201~")
            .print("\x1b[7mecho hi\x1b[27m")
            .type("x")
            .print("\b\b\b\b\b\b\becho hix")
            .type("\r")
            .print("\r\n")
            .recorded() == "\x1b[200~" + typed + "\x1b[201~x\r");
  CHECK(Typing().type("h").print("\x1b[?25l\x1b]0;hunter\a\x1b(B\x1b[mh\x1b[?25h").recorded() ==
        "h");
  CHECK(Typing().type("h").print("\x1b").print("[1").print(";31mh").recorded() == "h");
}

TEST_CASE("keys that erase are recorded with their line") {
  CHECK(Typing().echoed("lx").type("\x7f").print("\b\x1b[K").echoed("s").type("\r").recorded() ==
        "lx\x7fs\r");
  // Typed faster than the echo comes; the kernel's way and readline's.
  CHECK(Typing().type("lx\x7fs\r").print("lx\b \bs\r\n").recorded() == "lx\x7fs\r");
  CHECK(Typing().type("lx\x7fs\r").print("lx\b\x1b[Ks\r\n").recorded() == "lx\x7fs\r");
}

TEST_CASE("text that is put into the middle of a line is recorded") {
  Typing typing;
  typing.echoed("abcdef").type("\x1b[D").print("\b").type("\x1b[D").print("\b");
  typing.type("x").print("xef\b\b").type("y").print("yef\b\b").type("\r").print("\r\n");
  CHECK(typing.recorded() == "abcdef\x1b[D\x1b[Dxy\r");
}

TEST_CASE("a line that goes on in the next row is recorded") {
  Typing typing;
  typing.echoed("echo 8901").type(" ").print("  \r").echoed("bc").type("\r").print("\r\n");
  CHECK(typing.recorded() == "echo 8901 bc\r");
}

TEST_CASE("what a control key prints confirms nothing and harms nothing") {
  CHECK(Typing()
            .echoed("ec")
            .type("\t")
            .print("ho ")
            .echoed("1")
            .type("\r")
            .print("\r\n1\r\n")
            .recorded() == "ec\t1\r");
  CHECK(Typing()
            .echoed("l")
            .type("\t\t")
            .print("\a\r\nls  lp\r\n$ l")
            .echoed("s")
            .type("\r")
            .recorded() == "l\t\ts\r");
}

TEST_CASE("a line of control keys is recorded when each was answered") {
  CHECK(Typing().type("\x1b[A").print("echo one").type("\r").print("\r\none\r\n").recorded() ==
        "\x1b[A\r");
  CHECK(Typing().type("\x03").print("^C\r\n$ ").recorded() == "\x03");
  CHECK(Typing().type("\r").print("\r\n$ ").recorded() == "\r");
  CHECK(Typing().type("\x1b[A").type("\x1b[A").print("echo").type("\r").recorded() == kMark);
  CHECK(Typing().type("\x7f").type("\x7f").type("\r").print("\r\n").recorded() == kMark);
  CHECK(Typing().type("\x03").wait_ms(2'100).print("^C").recorded() == kMark);
}

TEST_CASE("several lines in one read are recorded as far as nothing is printed between them") {
  CHECK(Typing().type("one\rtwo\r").print("one\r\ntwo\r\n").print("one\r\ntwo\r\n").recorded() ==
        "one\rtwo\r");
  CHECK(Typing().type("a\tb\r").print("a\tb\r\n").recorded() == "a\tb\r");
  CHECK(Typing().type("aa\rbb\r").print("aa\r\n> bb\r\n").recorded() ==
        std::string("aa\r") + kMark);
}

TEST_CASE("bytes of any character set are matched byte for byte") {
  CHECK(Typing().type("caf\u00e9 \u65e5\r").print("caf\u00e9 \u65e5\r\n").recorded() ==
        "caf\u00e9 \u65e5\r");
  CHECK(Typing().type("\xc3").type("\xa9\r").print("\xc3\xa9\r\n").recorded() == "\u00e9\r");
  CHECK(Typing().type("\xe9\r").print("\xe9\r\n").recorded() == "\xe9\r");
}

TEST_CASE("a line that waits for its user waits for ever; its end makes it whole") {
  CHECK(Typing().echoed("ls").wait_ms(3'600'000).timer().echoed(" -l").type("\r").recorded() ==
        "ls -l\r");
  CHECK(Typing().echoed("ls").recorded() == "ls");
  CHECK(Typing().echoed("rm -rf /").type("\x03").print("^C\r\n").recorded() == "rm -rf /\x03");
}

TEST_CASE("a line longer than what is held is recorded when it is echoed") {
  const std::string line(3 * EchoMatcher::kMaxHeldBytes, 'x');
  CHECK(Typing().echoed(line).type("\r").print("\r\n").recorded() == line + "\r");
}

// --- what is not

TEST_CASE("a password leaves one marker, however it is typed and whatever comes after") {
  const std::string mark = kMark;
  CHECK(Typing().print("Password: ").type("hunter2\r").print("\r\n$ ").recorded() == mark);
  CHECK(Typing().print("Password: ").unechoed("hunter2\r").print("\r\nok\r\n$ ").recorded() ==
        mark);
  CHECK(Typing().unechoed("hun\x7f\x7fnter2").type("\r").print("\r\n").recorded() == mark);
  CHECK(Typing().type("\x1b[200~hunter2\x1b[201~\r").print("\r\n").recorded() == mark);
  CHECK(Typing().unechoed("hunter2").recorded() == mark);
  CHECK(Typing().unechoed("hunter2\x03").print("\r\n").recorded() == mark);
  CHECK(Typing()
            .unechoed("hunt")
            .wait_ms(2'100)
            .timer()
            .unechoed("er2\r")
            .print("\r\n$ ")
            .echoed("id")
            .type("\r")
            .recorded() == mark + "id\r");
}

TEST_CASE("the marker does not tell how long a password is or how it was typed") {
  const auto marker_of = [](std::string_view password) {
    Typing typing;
    typing.unechoed(password).type("\r").print("\r\n").recorded();
    REQUIRE(typing.events.size() == 1);
    return typing.events[0].t_us;
  };
  CHECK(marker_of("a") == marker_of("a rather long one"));
  CHECK(marker_of("abc\x7f\x7f\x7fxyz") == marker_of("x"));
}

TEST_CASE("the marker comes while nothing else happens") {
  Typing typing;
  typing.type("h");
  CHECK(typing.matcher.waits());
  CHECK(typing.wait_ms(1'900).timer().events.empty());
  REQUIRE(typing.wait_ms(101).timer().events.size() == 1);
  CHECK_FALSE(typing.matcher.waits());
}

TEST_CASE("stars are not the text") {
  Typing typing;
  for (const char c : std::string("hunter2")) {
    typing.type({&c, 1}).print("*");
  }
  CHECK(typing.type("\r").print("\r\n").recorded() == kMark);
  CHECK(Typing().type("hunter2\r").print("*******\r\n").recorded() == kMark);
}

TEST_CASE("what a program prints afterwards is not an echo that came late") {
  CHECK(Typing().unechoed("root\r").print("\r\nroot\r\n$ ").recorded() == kMark);
  // `read -s x; echo $x`: typed by hand, the echo would have come between the keys.
  Typing typing;
  for (const char c : std::string("hunter2")) {
    typing.wait_ms(150).type({&c, 1});
  }
  CHECK(typing.type("\r").print("hunter2\r\n").recorded() == kMark);
  CHECK(Typing().type("hunter2\r").wait_ms(2'100).print("hunter2\r\n").recorded() == kMark);
  CHECK(Typing().type("hunter2\r").print("'hunter2'\r\n").recorded() == kMark);
}

TEST_CASE("output that runs meanwhile confirms nothing") {
  for (const char* noise : {"hunter2\r\n", "h", "hu", "hunter2 and more", "h\r", "\bh", "h\b\b"}) {
    INFO(noise);
    Typing typing;
    typing.print(noise).print(noise);
    for (const char c : std::string("hunter2")) {
      typing.print(noise).type({&c, 1}).print(noise).wait_ms(100);
    }
    CHECK(typing.type("\r").print("\r\n").print(noise).recorded() == kMark);
  }
}

TEST_CASE("output that begins with the text and goes on is no echo of it") {
  CHECK(Typing().type("hunter2").print("hunter2 and more").type("\r").recorded() == kMark);
  CHECK(Typing().type("hunter2").print("hunter2 ").type("\r").recorded() == kMark);
  CHECK(Typing().type("hunter2").print("hunter2 and more").recorded() == kMark);
}

TEST_CASE("a password of one character over and over is not confirmed by noise that begins so") {
  Typing typing;
  for (const char c : std::string("aaaa")) {
    typing.type({&c, 1}).print("abc\r\n");
  }
  CHECK(typing.type("\r").print("abc\r\n").recorded() == kMark);
}

TEST_CASE("a pasted password that scrolls by as a line is not confirmed by it") {
  for (const char* printed : {"hunter2\r\n", "x\r\nhunter2\r\n", "hunter2"}) {
    CHECK(Typing()
              .print(printed)
              .wait_ms(1'000)
              .print("\r\n")
              .type("hunter2\r")
              .print("hunter2\r\n")
              .recorded() == kMark);
  }
}

TEST_CASE("nor in brackets, nor in parts, nor when the session ends before Enter") {
  for (const char* typed : {"\x1b[200~hunter2\x1b[201~", "hunter2", "h"}) {
    Typing typing;
    typing.print(std::string(typed == std::string("h") ? "h" : "hunter2") + "\r\n");
    typing.type(typed).print(typed == std::string("h") ? "h\r\n" : "hunter2\r\n").wait_ms(300);
    CHECK(typing.type("\r").print("\r\n").recorded() == kMark);
  }
  CHECK(Typing().print("hunter2\r\n").type("hunter2").print("hunter2").recorded() == kMark);
  CHECK(Typing().print("hunter2\r\n").type("hunt").type("er2").print("hunter2").recorded() ==
        kMark);
}

TEST_CASE("a line that was printed before is recorded when its echo came key by key") {
  CHECK(Typing().print("exit\r\n$ ").echoed("exit").type("\r").print("\r\n").recorded() ==
        "exit\r");
}

TEST_CASE("one byte that is not echoed takes its whole line with it") {
  CHECK(Typing().echoed("ls ").type("secret").print("\r\n").type("\r").recorded() == kMark);
  CHECK(Typing().type("hunter2\r").print("hunter\r\n").recorded() == kMark);
  CHECK(Typing().type("hunter2\r").print("hunter3\r\n").recorded() == kMark);
  CHECK(Typing().type("\xc3\xa9t\r").print("\xc3\xa8t\r\n").recorded() == kMark);
}

TEST_CASE("text in the dress of control keys is not taken for control keys") {
  const std::string mark = kMark;
  // A terminal that encodes each key (kitty's protocol, xterm's modifyOtherKeys, Windows').
  for (const char* key : {"\x1b[104u", "\x1b[27;5;104~", "\x1b[72;35;104;1;0;1_"}) {
    INFO(key);
    CHECK(Typing().type(key).print("x").type(key).print("y").type("\r").print("\r\n").recorded() ==
          mark);
  }
  CHECK(Typing().type("\x1b[12345678901234567890A").print("x").type("\r").recorded() == mark);
  CHECK(Typing().type("\x1b").print("x").type("[").print("y").type("\r").recorded() == mark);
}

TEST_CASE("more than is held and not echoed is given up") {
  const std::string much(EchoMatcher::kMaxHeldBytes + 1, 'x');
  CHECK(Typing().type(much).print(much).type("\r").recorded() == kMark);
}

TEST_CASE("the lines of a pasted key are not counted") {
  CHECK(Typing().type("line1\rline2\rline3\r").print("\r\n\r\n\r\n").recorded() == kMark);
  CHECK(Typing().type("line1\r").print("\r\n").type("line2\r").print("\r\n").recorded() == kMark);
}

TEST_CASE("two passwords one after the other are two markers") {
  const std::string mark = kMark;
  CHECK(Typing()
            .unechoed("first\r")
            .print("\r\nRetype: ")
            .wait_ms(1'500)
            .unechoed("second\r")
            .print("\r\n")
            .recorded() == mark + mark);
}

// --- after it

TEST_CASE("a prompt that is ready and a screen that is left begin a new line") {
  const std::string mark = kMark;
  // less: space and q without Enter.
  CHECK(Typing()
            .type(" ")
            .print("\r\x1b[Kpage two")
            .type("q")
            .print("\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t")
            .print("$ ")
            .echoed("id")
            .type("\r")
            .print("\r\n")
            .recorded() == mark + "id\r");
  CHECK(Typing().unechoed("hunt").print("\r\n\x1b[?2004h$ ").echoed("id").type("\r").recorded() ==
        mark + "id\r");
  CHECK(Typing().unechoed("hunt").print("\r\n$ ").echoed("id").type("\r").recorded() == mark);
}

TEST_CASE("an escape sequence that never ends hides what is behind it, and confirms nothing") {
  CHECK(Typing().print("\x1b]0;").type("ls\r").print("ls\r\n").wait_ms(3'000).recorded() == kMark);
}
