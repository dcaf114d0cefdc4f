/* The rows enc_staged32_cold, dec_staged32_cold and enc_staged32_hot of raw_gcm.c, one call at a time, so that they can
   be measured between other things. One thread. */
#ifndef BENCH_RAW_CIPHER_H
#define BENCH_RAW_CIPHER_H

#ifdef __cplusplus
extern "C" {
#endif

/* Once, before the others. Prints an error and ends the process when there is no memory. */
void raw_cipher_start(void);
/* The core's clock in GHz, by dependent instructions. */
double raw_cipher_core_ghz(void);
enum raw_cipher_row { raw_enc_cold, raw_dec_cold, raw_enc_hot };
/* Nanoseconds of thread CPU time per packet of `text` octets behind 28 octets of AAD. */
double raw_cipher(int aes_256, enum raw_cipher_row, int text, unsigned packets);

#ifdef __cplusplus
}
#endif
#endif
