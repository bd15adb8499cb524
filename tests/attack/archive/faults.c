/* For LD_PRELOAD: makes file operations below a folder fail, and watches that a file, once there, is always there.
 *   FAULTS_FOLDER  the folder
 *   FAULTS_CALL    a call's name, or "any"
 *   FAULTS_AT      which of these calls fails, from 1 on; 0: none
 *   FAULTS_ERRNO   with what
 *   FAULTS_MODE    fail: nothing else; short: a write takes 4096 bytes at most; interrupt: every second call says EINTR
 *   FAULTS_WATCH   the file
 *   FAULTS_LOG     gets a line a call: "CALL PATH" or "failed CALL PATH", and "gone" where the file is not there */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long matching, interruptible, seen;

static const char* setting(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

static void note(const char* what, const char* call, const char* path) {
  char line[4400];
  const int length = snprintf(line, sizeof line, "%s%s %s\n", what, call, path);
  const int file = REAL(open)(setting("FAULTS_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || REAL(write)(file, line, (size_t)length) != length) abort();
  REAL(close)(file);
}

static void watch(void) {
  struct stat info;
  const int there = lstat(setting("FAULTS_WATCH"), &info) == 0;
  if (seen && !there) note("gone", "", "");
  seen |= there;
}

/* Whether this call is to fail; errno is set then. */
static int fails(const char* call, const char* path, int may_be_interrupted) {
  const char* folder = setting("FAULTS_FOLDER");
  if (!*folder || strncmp(path, folder, strlen(folder)) != 0) return 0;
  watch();
  int problem = 0;
  if (may_be_interrupted && !strcmp(setting("FAULTS_MODE"), "interrupt") && interruptible++ % 2 == 0) problem = EINTR;
  const char* meant = setting("FAULTS_CALL");
  if ((!strcmp(meant, "any") || !strcmp(meant, call)) && ++matching == atol(setting("FAULTS_AT")))
    problem = atoi(setting("FAULTS_ERRNO"));
  note(problem ? "failed " : "", call, path);
  errno = problem;
  return problem != 0;
}

static const char* path_of(int descriptor, char* buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, buffer, size - 1);
  buffer[length < 0 ? 0 : length] = '\0';
  return buffer;
}

static int descriptor_fails(const char* call, int descriptor, int may_be_interrupted) {
  char path[4096];
  return fails(call, path_of(descriptor, path, sizeof path), may_be_interrupted);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails("open", path, 1) ? -1 : REAL(open)(path, flags, mode);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  if (descriptor_fails("write", descriptor, 1)) return -1;
  char path[4096];
  const char* folder = setting("FAULTS_FOLDER");
  const int ours = *folder && !strncmp(path_of(descriptor, path, sizeof path), folder, strlen(folder));
  if (ours && !strcmp(setting("FAULTS_MODE"), "short") && size > 4096) size = 4096;
  return REAL(write)(descriptor, data, size);
}

int fsync(int descriptor) { return descriptor_fails("fsync", descriptor, 1) ? -1 : REAL(fsync)(descriptor); }

/* A close that fails has closed, as on Linux. */
int close(int descriptor) {
  const int failed = descriptor_fails("close", descriptor, 1), problem = errno;
  const int status = REAL(close)(descriptor);
  if (!failed) return status;
  errno = problem;
  return -1;
}

int ftruncate(int descriptor, off_t length) {
  return descriptor_fails("ftruncate", descriptor, 1) ? -1 : REAL(ftruncate)(descriptor, length);
}

int rename(const char* from, const char* to) { return fails("rename", from, 0) ? -1 : REAL(rename)(from, to); }

int link(const char* from, const char* to) { return fails("link", from, 0) ? -1 : REAL(link)(from, to); }
