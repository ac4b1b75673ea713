/* Faults of a disk and of a clock, in a process that loads this before the C library (LD_PRELOAD).

   Every write, sync, rename, link and new folder below one place is counted, whoever makes it: Python, SQLite, Lance.
   The call with a given number fails, or the process is killed there by SIGKILL: before it, after it, or in the middle
   of a write. What is armed, and what was counted, lies in memory that forked processes share. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, ONCE, FROM, BEFORE, AFTER, TORN };
#define MOST 4096
#define LONGEST 160

static struct shared {
    char place[PATH_MAX];
    atomic_int armed, how, at, error, count, fired;
    atomic_long shift; /* seconds */
    char said[MOST][LONGEST];
} *shared;

__attribute__((constructor)) static void begin(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) _exit(99);
}

void faults_arm(const char *place, int how, int at, int error) {
    strncpy(shared->place, place, sizeof shared->place - 1);
    shared->how = how;
    shared->at = at;
    shared->error = error;
    shared->count = 0;
    shared->fired = 0;
    shared->armed = 1;
}
void faults_disarm(void) { shared->armed = 0; }
int faults_count(void) { return shared->count; }
int faults_fired(void) { return shared->fired; }
const char *faults_said(int number) { return shared->said[number % MOST]; }
void faults_shift(long seconds) { shared->shift = seconds; }

/* Counts one call; what is to be done about it: NOTHING, ONCE (it fails), AFTER or TORN. */
static int met(const char *kind, const char *path) {
    if (!shared || !shared->armed || strncmp(path, shared->place, strlen(shared->place))) return NOTHING;
    int number = atomic_fetch_add(&shared->count, 1);
    snprintf(shared->said[number % MOST], LONGEST, "%s %s", kind, path + strlen(shared->place));
    int how = shared->how;
    if (how == NOTHING || (how == FROM ? number < shared->at : number != shared->at)) return NOTHING;
    shared->fired = 1;
    if (how == BEFORE) kill(getpid(), SIGKILL);
    if (how == ONCE || how == FROM) {
        /* A full disk still syncs, and gives a file another name. */
        if (how == FROM && (!strcmp(kind, "sync") || !strcmp(kind, "rename"))) return NOTHING;
        errno = shared->error;
        return ONCE;
    }
    return how;
}

static int met_file(const char *kind, int file) {
    if (!shared || !shared->armed) return NOTHING;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int kept = errno;
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (length <= 0) return NOTHING;
    path[length] = 0;
    return met(kind, path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define CALL(result, call, half) do { \
    if (what == ONCE) return -1; \
    if (what == TORN) { half; kill(getpid(), SIGKILL); } \
    __typeof__(result) done_ = call; \
    if (what == AFTER) kill(getpid(), SIGKILL); \
    return done_; } while (0)

ssize_t write(int file, const void *data, size_t size) {
    REAL(write); int what = met_file("write", file);
    CALL((ssize_t)0, real(file, data, size), real(file, data, size / 2));
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    REAL(pwrite); int what = met_file("write", file);
    CALL((ssize_t)0, real(file, data, size, at), real(file, data, size / 2, at));
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    REAL(pwrite64); int what = met_file("write", file);
    CALL((ssize_t)0, real(file, data, size, at), real(file, data, size / 2, at));
}
ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(writev); int what = met_file("write", file);
    CALL((ssize_t)0, real(file, parts, count), real(file, parts, (count + 1) / 2));
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    REAL(pwritev); int what = met_file("write", file);
    CALL((ssize_t)0, real(file, parts, count, at), real(file, parts, (count + 1) / 2, at));
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
    REAL(pwritev64); int what = met_file("write", file);
    CALL((ssize_t)0, real(file, parts, count, at), real(file, parts, (count + 1) / 2, at));
}
ssize_t sendfile(int out, int in, off_t *at, size_t size) {
    static ssize_t (*real)(int, int, off_t *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "sendfile");
    int what = met_file("write", out);
    CALL((ssize_t)0, real(out, in, at, size), real(out, in, at, size / 2));
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t size) {
    static ssize_t (*real)(int, int, off64_t *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "sendfile64");
    int what = met_file("write", out);
    CALL((ssize_t)0, real(out, in, at, size), real(out, in, at, size / 2));
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    REAL(copy_file_range); int what = met_file("write", out);
    CALL((ssize_t)0, real(in, from, out, to, size, flags), real(in, from, out, to, size / 2, flags));
}
int ftruncate(int file, off_t size) { REAL(ftruncate); int what = met_file("write", file); CALL(0, real(file, size), ); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); int what = met_file("write", file); CALL(0, real(file, size), ); }
int fsync(int file) { REAL(fsync); int what = met_file("sync", file); CALL(0, real(file), ); }
int fdatasync(int file) { REAL(fdatasync); int what = met_file("sync", file); CALL(0, real(file), ); }
int rename(const char *from, const char *to) { REAL(rename); int what = met("rename", to); CALL(0, real(from, to), ); }
int renameat(int a, const char *from, int b, const char *to) {
    REAL(renameat); int what = met("rename", to); CALL(0, real(a, from, b, to), );
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(renameat2); int what = met("rename", to); CALL(0, real(a, from, b, to, flags), );
}
int link(const char *from, const char *to) { REAL(link); int what = met("link", to); CALL(0, real(from, to), ); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(linkat); int what = met("link", to); CALL(0, real(a, from, b, to, flags), );
}
int mkdir(const char *path, mode_t mode) { REAL(mkdir); int what = met("folder", path); CALL(0, real(path, mode), ); }
int mkdirat(int at, const char *path, mode_t mode) {
    REAL(mkdirat); int what = met("folder", path); CALL(0, real(at, path, mode), );
}

/* The clock */

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(clock_gettime);
    int done = real(clock, time);
    if (!done && shared && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += shared->shift;
    return done;
}
int gettimeofday(struct timeval *time, void *zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
    int done = real(time, zone);
    if (!done && shared) time->tv_sec += shared->shift;
    return done;
}
time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
