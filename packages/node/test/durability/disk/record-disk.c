/*
 * Preloaded into a node: appends every change that it makes under RECORDED_DISK_ROOT, and every send over TCP, to
 * the file RECORDED_DISK_LOG, so that a test can build the disk again as a loss of power would have left it.
 *
 * A change and its record are made under one lock: the order of the log is the order of the disk. A sync has two
 * records, since it covers only what was written before it began. A send is recorded before the bytes leave: what
 * an answer promises must have been synced above it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, MKDIR, RMDIR, UNSUPPORTED, SEND };

/* Little-endian, followed by the path, the second path and the data. */
struct header {
  uint32_t total_bytes, kind;
  uint64_t number;
  uint32_t path_bytes, second_bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static uint64_t next_sync = 1;

__attribute__((constructor)) static void set_up(void) {
  const char *folder = getenv("RECORDED_DISK_ROOT"), *path = getenv("RECORDED_DISK_LOG");
  if (folder == NULL || path == NULL) return;
  root_length = strlen(strncpy(root, folder, sizeof root - 1));
  log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}
#define REAL(name) static __typeof__(&name) real; if (real == NULL) real = next(#name)

static int is_inside(const char *path) {
  return log_fd >= 0 && path != NULL && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == 0);
}

static void record(int kind, uint64_t number, const char *path, const char *second,
                   const struct iovec *data, int pieces) {
  struct iovec parts[3 + 64];
  struct header header = {0, (uint32_t)kind, number, (uint32_t)strlen(path), (uint32_t)strlen(second)};
  size_t total = sizeof header + header.path_bytes + header.second_bytes;
  parts[0] = (struct iovec){&header, sizeof header};
  parts[1] = (struct iovec){(void *)path, header.path_bytes};
  parts[2] = (struct iovec){(void *)second, header.second_bytes};
  if (pieces > 64) abort();
  for (int i = 0; i < pieces; i++) {
    parts[3 + i] = data[i];
    total += data[i].iov_len;
  }
  header.total_bytes = (uint32_t)total;
  if (syscall(SYS_writev, log_fd, parts, 3 + pieces) != (long)total) abort();
}

/* The path of an open file under the root; 0 for anything else. */
static int path_of(int fd, char *path) {
  char link[64];
  if (log_fd < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int kept = errno;
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  errno = kept;
  if (length <= 0) return 0;
  path[length] = 0;
  return is_inside(path) && strstr(path, " (deleted)") == NULL;
}

/* Numbered with the port of the other end. */
static void record_send(int fd) {
  struct sockaddr_in peer;
  socklen_t size = sizeof peer;
  int kept = errno;
  if (log_fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET) {
    pthread_mutex_lock(&lock);
    record(SEND, ntohs(peer.sin_port), "", "", NULL, 0);
    pthread_mutex_unlock(&lock);
  }
  errno = kept;
}

static int opened(const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  struct stat found;
  int existed = fstatat(AT_FDCWD, path, &found, 0) == 0;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  int kept = errno;
  if (fd >= 0 && (flags & O_CREAT) && !existed) record(CREATE, 0, path, "", NULL, 0);
  if (fd >= 0 && (flags & O_TRUNC) && existed) record(TRUNCATE, 0, path, "", NULL, 0);
  errno = kept;
  pthread_mutex_unlock(&lock);
  return fd;
}

#define OPEN(name)                                                   \
  int name(const char *path, int flags, ...) {                       \
    mode_t mode = 0;                                                 \
    if (flags & (O_CREAT | __O_TMPFILE)) {                           \
      va_list rest;                                                  \
      va_start(rest, flags);                                         \
      mode = va_arg(rest, mode_t);                                   \
      va_end(rest);                                                  \
    }                                                                \
    if (is_inside(path)) return opened(path, flags, mode);           \
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);    \
  }
OPEN(open)
OPEN(open64)

static ssize_t written(int fd, const struct iovec *pieces, int count, off_t at, const char *path) {
  pthread_mutex_lock(&lock);
  int is_appending = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  off_t start = at >= 0 ? at : lseek(fd, 0, is_appending ? SEEK_END : SEEK_CUR);
  ssize_t result = at >= 0 ? syscall(SYS_pwritev, fd, pieces, count, at, 0) : syscall(SYS_writev, fd, pieces, count);
  int kept = errno;
  struct iovec done[64];
  size_t left = result > 0 ? (size_t)result : 0;
  int used = 0;
  for (; left > 0; used++) {
    if (used == 64) abort();
    done[used] = (struct iovec){pieces[used].iov_base, pieces[used].iov_len < left ? pieces[used].iov_len : left};
    left -= done[used].iov_len;
  }
  if (result > 0) record(WRITE, (uint64_t)start, path, "", done, used);
  errno = kept;
  pthread_mutex_unlock(&lock);
  return result;
}

ssize_t write(int fd, const void *data, size_t size) {
  REAL(write);
  char path[PATH_MAX];
  if (!path_of(fd, path)) {
    record_send(fd);
    return real(fd, data, size);
  }
  struct iovec piece = {(void *)data, size};
  return written(fd, &piece, 1, -1, path);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  REAL(writev);
  char path[PATH_MAX];
  if (path_of(fd, path)) return written(fd, pieces, count, -1, path);
  record_send(fd);
  return real(fd, pieces, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  REAL(sendmsg);
  record_send(fd);
  return real(fd, message, flags);
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
  REAL(send);
  record_send(fd);
  return real(fd, data, size, flags);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  REAL(pwrite64);
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd, data, size, at);
  struct iovec piece = {(void *)data, size};
  return written(fd, &piece, 1, at, path);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
  REAL(pwritev64);
  char path[PATH_MAX];
  return path_of(fd, path) ? written(fd, pieces, count, at, path) : real(fd, pieces, count, at);
}
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) { return pwritev64(fd, pieces, count, at); }

int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd, size);
  pthread_mutex_lock(&lock);
  int result = real(fd, size);
  if (result == 0) record(TRUNCATE, (uint64_t)size, path, "", NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*real)(int), const char *path) {
  pthread_mutex_lock(&lock);
  uint64_t number = next_sync++;
  record(SYNC_BEGIN, number, path, "", NULL, 0);
  pthread_mutex_unlock(&lock);
  int result = real(fd);
  int kept = errno;
  pthread_mutex_lock(&lock);
  if (result == 0) record(SYNC_END, number, path, "", NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = kept;
  return result;
}

int fsync(int fd) {
  REAL(fsync);
  char path[PATH_MAX];
  return path_of(fd, path) ? synced(fd, real, path) : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  char path[PATH_MAX];
  return path_of(fd, path) ? synced(fd, real, path) : real(fd);
}

#define CHANGE(kind, call, path, second)                             \
  pthread_mutex_lock(&lock);                                         \
  int result = call;                                                 \
  int kept = errno;                                                  \
  if (result == 0) record(kind, 0, path, second, NULL, 0);           \
  errno = kept;                                                      \
  pthread_mutex_unlock(&lock);                                       \
  return result;

int rename(const char *from, const char *to) {
  REAL(rename);
  if (!is_inside(from) && !is_inside(to)) return real(from, to);
  CHANGE(RENAME, real(from, to), from, to)
}

int unlink(const char *path) {
  REAL(unlink);
  if (!is_inside(path)) return real(path);
  CHANGE(UNLINK, real(path), path, "")
}

int rmdir(const char *path) {
  REAL(rmdir);
  if (!is_inside(path)) return real(path);
  CHANGE(RMDIR, real(path), path, "")
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  if (!is_inside(path)) return real(path, mode);
  CHANGE(MKDIR, real(path, mode), path, "")
}

/* Calls that no part of the node makes on its data today: the test fails when one appears, and is extended. */
int link(const char *from, const char *to) {
  REAL(link);
  if (!is_inside(from) && !is_inside(to)) return real(from, to);
  CHANGE(UNSUPPORTED, real(from, to), from, "link")
}

int truncate(const char *path, off_t size) {
  REAL(truncate);
  if (!is_inside(path)) return real(path, size);
  CHANGE(UNSUPPORTED, real(path, size), path, "truncate")
}

int remove(const char *path) {
  REAL(remove);
  if (!is_inside(path)) return real(path);
  CHANGE(UNSUPPORTED, real(path), path, "remove")
}
