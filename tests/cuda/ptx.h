/* What a kernel that ptx_to_c.py has translated computes with: a block's threads one after another on one core, each up to
 * where it waits for others, until all have ended.
 *
 * Registers are their bits. Arithmetic is PTX ISA 8.7's: f32 round to nearest, without contraction (the translation is
 * compiled with -ffp-contract=off); approximate instructions are the host's, which are nearer than PTX asks.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Block {
    unsigned tid[3], ntid[3], ctaid[3], nctaid[3]; /* x, y, z */
    unsigned thread;
    char *shared;
    uint64_t shared_bytes;
    void **params;
    /* What the lanes of a warp hold of a product's operands: two of them, since a lane may reach the next
     * product before another has read this one. */
    uint32_t (*lanes)[2][16];
} Block;

/* Why a thread stopped. */
enum { ENDED, AT_BARRIER, AT_WARP };

static inline float F(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
static inline uint32_t U(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

#define LOAD(type, address) ({ type value_; memcpy(&value_, (const void *)(address), sizeof value_); value_; })
#define STORE(type, address, value) ({ type value_ = (type)(value); memcpy((void *)(address), &value_, sizeof value_); })

static void wrong(const char *kernel, const char *what) {
    fprintf(stderr, "fakecuda: %s: %s\n", kernel, what);
    abort();
}

/* An address in the block's shared memory, with all of `bytes`, aligned. */
static inline uint64_t within(const Block *b, uint64_t address, uint64_t bytes, const char *kernel) {
    uint64_t at = address - (uint64_t)b->shared;
    if (at >= b->shared_bytes || bytes > b->shared_bytes - at || at % bytes)
        wrong(kernel, "an access outside of shared memory, or not aligned");
    return address;
}

static inline uint32_t shl32(uint32_t a, uint32_t by) { return by < 32 ? a << by : 0; }
static inline uint32_t shr32(uint32_t a, uint32_t by) { return by < 32 ? a >> by : 0; }
static inline uint32_t sar32(uint32_t a, uint32_t by) { return (uint32_t)((int32_t)a >> (by < 32 ? by : 31)); }
static inline uint64_t shl64(uint64_t a, uint32_t by) { return by < 64 ? a << by : 0; }
static inline uint64_t shr64(uint64_t a, uint32_t by) { return by < 64 ? a >> by : 0; }

/* Bytes of a and b picked by the four nibbles of the selector; the highest bit of one spreads a byte's sign. */
static inline uint32_t prmt(uint32_t a, uint32_t b, uint32_t selector) {
    uint64_t both = (uint64_t)b << 32 | a;
    uint32_t out = 0;
    for (int n = 0; n < 4; n++) {
        uint32_t pick = selector >> 4 * n & 15;
        uint8_t byte = (uint8_t)(both >> 8 * (pick & 7));
        out |= (uint32_t)(pick & 8 ? (byte & 0x80 ? 0xff : 0) : byte) << 8 * n;
    }
    return out;
}

/* The lesser of both, the number if one is none. */
static inline float min_f32(float a, float b) { return fminf(a, b); }
static inline float max_f32(float a, float b) { return fmaxf(a, b); }
/* No number if one is none. */
static inline float min_nan(float a, float b) { return isnan(a) || isnan(b) ? NAN : fminf(a, b); }
static inline float max_nan(float a, float b) { return isnan(a) || isnan(b) ? NAN : fmaxf(a, b); }
/* Into 0 to 1; what is no number is 0. */
static inline float saturated(float a) { return a >= 1 ? 1 : a > 0 ? a : 0; }
static inline float flushed(float a) { return fabsf(a) < 0x1p-126f ? copysignf(0, a) : a; }
/* a × b + c towards minus infinity. */
static inline float fma_down(float a, float b, float c) {
    float near = fmaf(a, b, c);
    return (long double)near > (long double)a * b + c ? nextafterf(near, -INFINITY) : near;
}
static inline uint32_t to_s32(float a) {
    return isnan(a) ? 0 : a >= 0x1p31f ? INT32_MAX : a < -0x1p31f ? (uint32_t)INT32_MIN : (uint32_t)(int32_t)a;
}
static inline uint32_t to_u32(float a) { return !(a > 0) ? 0 : a >= 0x1p32f ? UINT32_MAX : (uint32_t)a; }
/* The nearest of ten bits of fraction, ties away from zero. */
static inline uint32_t to_tf32(uint32_t a) { return (a & 0x7f800000) == 0x7f800000 ? a : (a + 0x1000) & ~0x1fffu; }

/* The nearest of seven bits of fraction, ties to even. */
static inline uint16_t to_bf16(uint32_t a) {
    if ((a & 0x7fffffff) > 0x7f800000)
        return 0x7fff;
    return (uint16_t)((a + 0x7fff + (a >> 16 & 1)) >> 16);
}

/* wmma: which lane holds what is left open by PTX. Here a matrix lies row after row over the lanes. The address of an
 * element; the matrix starts at a multiple of 32 bytes, and its lines lie multiples of 16 apart. */
static inline uint64_t fragment(uint64_t address, unsigned size, unsigned lane, int n, int each, int columns, int is_row,
                                uint32_t stride, const char *kernel) {
    if (address % 32 || size * stride % 16)
        wrong(kernel, "a matrix for tensor cores that is not aligned");
    unsigned at = lane * (unsigned)each + (unsigned)n, row = at / (unsigned)columns, column = at % (unsigned)columns;
    return address + size * (is_row ? (uint64_t)row * stride + column : (uint64_t)column * stride + row);
}
/* An element of an operand, by its number, row after row: of `first` register on. Tensor cores read the 19 bits of tf32. */
static inline double element(uint32_t (*lanes)[2][16], int turn, int first, int is_bf16, unsigned at) {
    if (!is_bf16)
        return F(lanes[at / 4][turn][first + at % 4] & ~0x1fffu);
    return F(lanes[at / 8][turn][first + at % 8 / 2] >> 16 * (at % 2) << 16);
}
/* One of a lane's eight values of D = A × B + C, 16 × 16 values of `deep` products. The order of a tensor core's sums is
 * not documented. */
static inline float product(const Block *b, int turn, unsigned deep, int is_bf16, int n, float c) {
    uint32_t(*lanes)[2][16] = b->lanes + b->thread / 32 * 32;
    unsigned at = b->thread % 32 * 8 + (unsigned)n, row = at / 16, column = at % 16;
    double sum = c;
    for (unsigned k = 0; k < deep; k++)
        sum += element(lanes, turn, 0, is_bf16, row * deep + k) * element(lanes, turn, 4, is_bf16, k * 16 + column);
    return (float)sum;
}

/* Runs a kernel's grid. `run` takes a thread to where it waits or ends; its `state` of `size` bytes starts as zeros. */
static void execute(const char *kernel, const unsigned grid[3], const unsigned block[3], uint64_t shared, void **params,
                    size_t size, int (*run)(void *state, const Block *b)) {
    unsigned threads = block[0] * block[1] * block[2];
    char *states = malloc(threads * size), *memory = NULL;
    unsigned char *at = malloc(threads);
    Block b = {.shared_bytes = shared, .params = params, .lanes = malloc(((threads + 31) / 32 * 32) * sizeof *b.lanes)};
    if (!states || !at || !b.lanes || posix_memalign((void **)&memory, 128, shared + 128))
        wrong(kernel, "no memory");
    b.shared = memory;
    /* Results may not depend on which of a block's threads runs first. */
    const char *order = getenv("FAKECUDA_ORDER");
    int is_reversed = order && !strcmp(order, "reversed");
    memcpy(b.ntid, block, sizeof b.ntid);
    memcpy(b.nctaid, grid, sizeof b.nctaid);
    for (uint64_t n = 0; n < (uint64_t)grid[0] * grid[1] * grid[2]; n++) {
        b.ctaid[0] = (unsigned)(n % grid[0]);
        b.ctaid[1] = (unsigned)(n / grid[0] % grid[1]);
        b.ctaid[2] = (unsigned)(n / grid[0] / grid[1]);
        /* No number: what is read before it is written shows. */
        memset(memory, 0xff, shared);
        memset(states, 0, threads * size);
        memset(at, AT_WARP, threads);
        for (unsigned left = threads, moved = 1; left;) {
            if (!moved)
                wrong(kernel, "threads wait for each other at different places");
            moved = 0;
            unsigned waiting = 0;
            for (unsigned t = 0; t < threads; t++)
                waiting += at[t] == AT_BARRIER;
            for (unsigned t = 0; waiting == left && t < threads; t++)
                if (at[t] == AT_BARRIER)
                    at[t] = AT_WARP;
            unsigned warps = (threads + 31) / 32;
            for (unsigned turn = 0; turn < warps; turn++) {
                unsigned w = 32 * (is_reversed ? warps - 1 - turn : turn);
                unsigned lanes = threads - w < 32 ? threads - w : 32, ready = 1;
                for (unsigned lane = 0; lane < lanes; lane++)
                    ready &= at[w + lane] != AT_BARRIER;
                for (unsigned lane = 0; ready && lane < lanes; lane++) {
                    unsigned t = w + (is_reversed ? lanes - 1 - lane : lane);
                    if (at[t] == ENDED)
                        continue;
                    b.thread = t;
                    b.tid[0] = t % block[0];
                    b.tid[1] = t / block[0] % block[1];
                    b.tid[2] = t / block[0] / block[1];
                    at[t] = (unsigned char)run(states + t * size, &b);
                    left -= at[t] == ENDED;
                    moved = 1;
                }
            }
        }
    }
    free(states);
    free(at);
    free(b.lanes);
    free(memory);
}
