// What a process does to itself is tried in a child: a small server that prepares, is ready, and
// ends.
#include "server/process/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ae/base/callback.h"
#include "server/observe/log.h"
#include "server/process/logo.h"
#include "server/process/pid_file.h"
#include "server/process/process_title.h"
#include "server/process/supervision.h"
#include "tests/server/config/temporary_directory.h"

namespace millrace {
namespace {

// Generous: a loaded machine with sanitizers. Nothing waits this long unless it is broken.
constexpr int kPatienceMs = 20'000;

// Runs `body` in a child of ours and returns its wait status. No test code runs in the child
// afterwards.
int in_child(ae::Callback<void()> body) {
  std::fflush(nullptr);  // or the child writes what gtest has buffered a second time
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Returns the number of the step that failed, 0 if none did.
int serve(std::vector<const char*> arguments, ae::Callback<void()> body = nullptr) {
  arguments.insert(arguments.begin(), "millrace-server");
  ConfigStore store;
  if (store.load_arguments(static_cast<int>(arguments.size()), arguments.data())) return 10;
  if (auto error = process::prepare(store)) {
    log::warning("{}", *error);
    return 11;
  }
  show_logo(store.config());
  supervision::notify_ready();
  if (body) body();
  supervision::notify_stopping();
  process::finish();
  return 0;
}

// One end of a pipe for the parent of a daemon, which is not our child and cannot be waited for:
// the end of the pipe says that all processes with the other end are gone.
void wait_for_end(int read_end) {
  pollfd ready = {read_end, POLLIN, 0};
  ASSERT_EQ(poll(&ready, 1, kPatienceMs), 1);
}

class ProcessTest : public testing::Test {
 protected:
  std::vector<const char*> with_log(std::vector<const char*> arguments) {
    for (const char* argument : {"--dir", directory_.path().c_str(), "--logfile", "log"}) {
      arguments.push_back(argument);
    }
    return arguments;
  }
  std::string logged() const { return directory_.read("log"); }

  TemporaryDirectory directory_;
};

TEST_F(ProcessTest, StartsTellsAndLeavesNothing) {
  const int status = in_child([&] {
    _exit(serve(with_log({"--pidfile", "pid", "--always-show-logo", "yes"}), [&] {
      if (directory_.read("pid") != std::to_string(getpid()) + "\n") _exit(20);
    }));
  });
  EXPECT_EQ(exit_code(status), 0) << logged();
  EXPECT_NE(logged().find("Millrace version=0.1.0"), std::string::npos);
  EXPECT_NE(logged().find("Port: 6379"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory_.path("pid")));
}

TEST_F(ProcessTest, UnusableDirectoryIsASentence) {
  const int status = in_child([&] {
    dup2(open(directory_.path("out").c_str(), O_CREAT | O_WRONLY, 0600), STDOUT_FILENO);
    _exit(serve({"--dir", "/nowhere"}));
  });
  EXPECT_EQ(exit_code(status), 11);
  EXPECT_NE(directory_.read("out").find("# Can't chdir to '/nowhere': No such file or directory\n"),
            std::string::npos);
}

TEST_F(ProcessTest, UnusableLogFileIsASentence) {
  const int status = in_child([&] {
    dup2(open(directory_.path("out").c_str(), O_CREAT | O_WRONLY, 0600), STDOUT_FILENO);
    _exit(serve({"--logfile", "/nowhere/log"}));
  });
  EXPECT_EQ(exit_code(status), 11);
  EXPECT_NE(directory_.read("out").find(
                "# Can't open the log file '/nowhere/log': No such file or directory\n"),
            std::string::npos);
}

TEST_F(ProcessTest, TooFewDescriptorsLowerMaxclients) {
  const int status = in_child([&] {
    const rlimit few = {100, 100};
    setrlimit(RLIMIT_NOFILE, &few);
    std::vector<const char*> arguments = with_log({"--maxclients", "2000000000"});
    arguments.insert(arguments.begin(), "millrace-server");
    ConfigStore store;
    if (store.load_arguments(static_cast<int>(arguments.size()), arguments.data())) _exit(10);
    if (process::prepare(store)) _exit(11);
    rlimit now{};
    getrlimit(RLIMIT_NOFILE, &now);
    if (store.config().maxclients + 32 != now.rlim_cur) _exit(12);
    const Setting more[] = {{"maxclients", "2000000001"}};
    const Refusal refusal = store.set(more, ClientPlace::kLocal);
    if (!refusal ||
        refusal->find("try with " + std::to_string(now.rlim_cur - 32)) == refusal->npos) {
      _exit(13);
    }
    _exit(0);
  });
  EXPECT_EQ(exit_code(status), 0);
  EXPECT_NE(logged().find("maxclients has been reduced to "), std::string::npos) << logged();
}

TEST_F(ProcessTest, DaemonReleasesItsParentWhenReady) {
  int alive[2];
  ASSERT_EQ(pipe(alive), 0);
  const int status = in_child([&] {
    close(alive[0]);
    _exit(serve(with_log({"--daemonize", "yes", "--pidfile", "pid"})));
  });
  close(alive[1]);
  EXPECT_EQ(exit_code(status), 0);
  wait_for_end(alive[0]);
  close(alive[0]);
  EXPECT_NE(logged().find("Removing the pid file."), std::string::npos) << logged();
}

TEST_F(ProcessTest, ParentOfADaemonThatFailsSaysSo) {
  const int status = in_child([&] {
    dup2(open(directory_.path("err").c_str(), O_CREAT | O_WRONLY, 0600), STDERR_FILENO);
    std::vector<const char*> arguments = with_log({"millrace-server", "--daemonize", "yes"});
    ConfigStore store;
    if (store.load_arguments(static_cast<int>(arguments.size()), arguments.data())) _exit(10);
    (void)process::prepare(store);
    _exit(0);  // before it is ready
  });
  EXPECT_EQ(exit_code(status), 1);
  EXPECT_NE(directory_.read("err").find("The server did not start. Log: log"), std::string::npos);
}

TEST_F(ProcessTest, CrashReportHasSignalAndStack) {
  const int status = in_child([&] {
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    _exit(serve(with_log({}), [] { raise(SIGSEGV); }));
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  EXPECT_NE(logged().find("Millrace 0.1.0 crashed by signal 11 (Segmentation fault)"),
            std::string::npos)
      << logged();
  EXPECT_NE(logged().find("--- stack\n"), std::string::npos);
  EXPECT_TRUE(logged().ends_with("=== MILLRACE BUG REPORT END ===\n"));
}

TEST_F(ProcessTest, NoCrashReportIfNotWanted) {
  const int status = in_child([&] {
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    _exit(serve(with_log({"--crash-log-enabled", "no"}), [] { raise(SIGABRT); }));
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(logged().find("BUG REPORT"), std::string::npos);
}

TEST_F(ProcessTest, SystemdIsNotified) {
  const std::string path = directory_.path("notify");
  const int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const int status = in_child([&] {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    // Supervised: daemonize is not obeyed, or systemd would lose the process.
    const int failed = serve(with_log({"--supervised", "auto", "--daemonize", "yes"}));
    _exit(getenv("NOTIFY_SOCKET") ? 30 : failed);
  });
  EXPECT_EQ(exit_code(status), 0);
  std::vector<std::string> messages;
  char buffer[256];
  for (ssize_t n; (n = recv(receiver, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) {
    messages.emplace_back(buffer, static_cast<size_t>(n));
  }
  close(receiver);
  EXPECT_EQ(messages, (std::vector<std::string>{"STATUS=Starting\n",
                                                "READY=1\nSTATUS=Ready to accept connections\n",
                                                "STOPPING=1\nSTATUS=Shutting down\n"}));
}

TEST_F(ProcessTest, SupervisorThatIsNotThereIsAWarning) {
  const int status = in_child([&] {
    unsetenv("NOTIFY_SOCKET");
    _exit(serve(with_log({"--supervised", "systemd"})));
  });
  EXPECT_EQ(exit_code(status), 0);
  EXPECT_NE(logged().find("NOTIFY_SOCKET is not set"), std::string::npos);
}

TEST_F(ProcessTest, TitleIsShownAndTheEnvironmentSurvives) {
  const int status = in_child([&] {
    setenv("MILLRACE_TEST", "here", 1);
    _exit(serve(with_log({"--port", "7001", "--proc-title-template", "wheel {listen-addr}"}), [] {
      const std::string shown = [] {
        std::ifstream file("/proc/self/cmdline", std::ios::binary);
        std::string content;
        std::getline(file, content, '\0');
        return content;
      }();
      if (shown.find("wheel *:7001") != 0) _exit(40);
      const char* value = getenv("MILLRACE_TEST");
      if (!value || std::string_view(value) != "here") _exit(41);
      if (!getenv("PATH")) _exit(42);
    }));
  });
  EXPECT_EQ(exit_code(status), 0);
}

TEST(ProcessTitle, Template) {
  Config config;
  EXPECT_EQ(expand_title(config, "millrace-server", ""), "millrace-server *:6379");
  config.proc_title_template = "{title} {port} {unixsocket} {config-file} {tls-port}{server-mode}";
  config.unixsocket = "/tmp/s";
  EXPECT_EQ(expand_title(config, "x", "/etc/m.conf"), "x 6379 /tmp/s /etc/m.conf 0");
  config.proc_title_template = "{listen-addr}";
  config.port = 0;
  EXPECT_EQ(expand_title(config, "x", ""), "/tmp/s");
}

TEST(PidFile, OnlyOursIsRemoved) {
  TemporaryDirectory directory;
  const std::string path = directory.write("pid", "1234567\n1234567\n");
  ASSERT_TRUE(write_pid_file(path));
  EXPECT_EQ(directory.read("pid"), std::to_string(getpid()) + "\n");
  directory.write("pid", "1\n");
  remove_pid_file(path);
  EXPECT_EQ(directory.read("pid"), "1\n");
  ASSERT_TRUE(write_pid_file(path));
  remove_pid_file(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(write_pid_file("/nowhere/pid"));
}

}  // namespace
}  // namespace millrace
