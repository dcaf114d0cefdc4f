/* raw_gcm.c stays as it is; its loops are called from here. What its main() prepares is prepared likewise, but only as
   much memory as the rows use: 8,192 places of 2,304 octets. */
#define main raw_gcm_main
#include "bench/raw_gcm.c"
#undef main

#include "bench/raw_cipher.h"

enum { kPlaces = 8192, kPlaceOctets = 2304, kAad = 28 };

static void fail(const char* what) {
    fprintf(stderr, "raw cipher: no memory for %s; free some\n", what);
    exit(2);
}

void raw_cipher_start(void) {
    uint8_t key[32];
    IMB_ARCH arch;
    m = alloc_mb_mgr(0);
    if (!m) fail("ipsec-mb");
    init_mb_mgr_auto(m, &arch);
    poolsz = (size_t)kPlaces * kPlaceOctets;
    pool = mmap(0, poolsz + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED) fail("its frames");
    madvise(pool, poolsz, MADV_HUGEPAGE);
    memset(pool, 0x5a, poolsz);
    for (int i = 0; i < 32; i++) key[i] = (uint8_t)(i * 7 + 1);
    for (int k = 0; k < 2; k++) {
        kd[k] = aligned_alloc(64, (sizeof(struct gcm_key_data) + 63) & ~(size_t)63);
        if (!kd[k]) fail("its keys");
    }
    IMB_AES128_GCM_PRE(m, key, kd[0]);
    IMB_AES256_GCM_PRE(m, key, kd[1]);
}

double raw_cipher_core_ghz(void) {
    calib();
    return core_ghz;
}

double raw_cipher(int aes_256, enum raw_cipher_row row, int text, unsigned packets) {
    const int mode = row == raw_dec_cold ? M_STGDEC_COLD : row == raw_enc_cold ? M_STG_COLD : M_STG_HOT;
    run(mode, aes_256, kAad, text, packets / 4 & ~31u);
    const double start = cpu_ns();
    run(mode, aes_256, kAad, text, packets & ~31u);
    return (cpu_ns() - start) / (packets & ~31u);
}
