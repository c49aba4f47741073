// A stand-in for file systems that machines share, for LD_PRELOAD: this machine's kernel may mount no NFS.
//
// LOCKS=none   flock is not there, as on Lustre mounted without it (ENOSYS)
// LOCKS=fcntl  flock becomes a lock of the whole file, as on NFS: shared ones need a file open for reading,
//              exclusive ones one open for writing (flock(2), "NFS details")
// STALE=1      that a name was not there is remembered until its folder is opened, as NFS keeps negative look-ups
//              until a folder's attributes are asked for again (nfs(5), "Directory entry caching")
// UNDER=PATH   where it does so

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 65536

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *absent[MOST];
static int count;

static int is_set(const char *name, const char *value) {
    const char *found = getenv(name);
    return found && strcmp(found, value) == 0;
}

static int is_under(const char *path) {
    const char *under = getenv("UNDER");
    return path && under && strstr(path, under) != NULL;
}

int flock(int file, int operation) {
    if (is_set("LOCKS", "none")) {
        errno = ENOSYS;
        return -1;
    }
    if (!is_set("LOCKS", "fcntl")) {
        int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
        return next(file, operation);
    }
    struct flock lock = {0};
    lock.l_whence = SEEK_SET;
    lock.l_type = operation & LOCK_UN ? F_UNLCK : operation & LOCK_SH ? F_RDLCK : F_WRLCK;
    int done = fcntl(file, operation & LOCK_NB ? F_OFD_SETLK : F_OFD_SETLKW, &lock);
    if (done < 0 && errno == EACCES) errno = EWOULDBLOCK;
    return done;
}

static int is_remembered(const char *path) {
    int found = 0;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < count && !found; i++) found = absent[i] && strcmp(absent[i], path) == 0;
    pthread_mutex_unlock(&mutex);
    return found;
}

static void remember(const char *path) {
    if (is_remembered(path)) return;
    pthread_mutex_lock(&mutex);
    if (count < MOST) absent[count++] = strdup(path);
    pthread_mutex_unlock(&mutex);
}

// What was absent from a folder that is opened is looked up anew.
static void forget(const char *folder) {
    size_t length = strlen(folder);
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < count; i++) {
        if (absent[i] && strncmp(absent[i], folder, length) == 0 && absent[i][length] == '/' &&
            !strchr(absent[i] + length + 1, '/')) {
            free(absent[i]);
            absent[i] = NULL;
        }
    }
    pthread_mutex_unlock(&mutex);
}

// What this process has made itself it knows of.
static void made(const char *path) {
    if (!is_under(path)) return;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < count; i++) {
        if (absent[i] && strncmp(absent[i], path, strlen(path)) == 0) {
            free(absent[i]);
            absent[i] = NULL;
        }
    }
    pthread_mutex_unlock(&mutex);
}

int mkdir(const char *path, mode_t mode) {
    int (*next)(const char *, mode_t) = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
    made(path);
    return next(path, mode);
}

int rename(const char *from, const char *to) {
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    made(to);
    return next(from, to);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict found) {
    int (*next)(int, const char *, int, unsigned, struct statx *) =
        (int (*)(int, const char *, int, unsigned, struct statx *))dlsym(RTLD_NEXT, "statx");
    if (!is_set("STALE", "1") || !is_under(path)) return next(folder, path, flags, mask, found);
    if (is_remembered(path)) {
        errno = ENOENT;
        return -1;
    }
    int done = next(folder, path, flags, mask, found);
    int error = errno;
    if (done < 0 && error == ENOENT) remember(path);
    errno = error;
    return done;
}

static int opened(const char *name, const char *path, int flags, mode_t mode) {
    int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    if (flags & O_CREAT) made(path);
    int file = next(path, flags, mode);
    int error = errno;
    struct stat found;
    if (is_set("STALE", "1") && is_under(path) && file >= 0 && fstat(file, &found) == 0 &&
        S_ISDIR(found.st_mode))
        forget(path);
    errno = error;
    return file;
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return opened("open64", path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return opened("open", path, flags, mode);
}

typedef struct __dirstream DIR;

DIR *opendir(const char *path) {
    DIR *(*next)(const char *) = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
    if (is_set("STALE", "1") && is_under(path)) forget(path);
    return next(path);
}
