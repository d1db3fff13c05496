/* Shifts the wall clock of a process and its children by EDGE_CLOCK_OFFSET_SECONDS; waiting and monotonic time stay real.
   Preloaded by tests/support/servers/clock.py. libfaketime 0.9.10 fakes the monotonic clock too, or makes Python's sleep fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int (*ask)(clockid_t, struct timespec *);

static time_t offset(void) {
    const char *text = getenv("EDGE_CLOCK_OFFSET_SECONDS");
    return text ? (time_t)strtoll(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    static ask real; // the C library's own, which need not enter the kernel
    if (!real)
        real = (ask)dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, at);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        at->tv_sec += offset();
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}
