// SPDX-License-Identifier: GPL-2.0-only
/*
 * picture fb|ppm WIDTH HEIGHT SEED: a picture whose pixels know their place, as a frame
 * buffer of 32 bits a pixel has it, or as QEMU writes what it shows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t pixel(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t color = x * 0x9e3779b1 ^ y * 0x85ebca77 ^ seed * 0xc2b2ae3d;

	return (color ^ color >> 15) * 0x2c1b3c6d >> 8;
}

int main(int argc, char **argv)
{
	uint32_t width, height, seed, x, y, color;
	int ppm;

	if (argc != 5) {
		fprintf(stderr, "usage: picture fb|ppm WIDTH HEIGHT SEED\n");
		return 2;
	}
	ppm = !strcmp(argv[1], "ppm");
	width = strtoul(argv[2], NULL, 10);
	height = strtoul(argv[3], NULL, 10);
	seed = strtoul(argv[4], NULL, 10);

	if (ppm)
		printf("P6\n%u %u\n255\n", width, height);
	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) {
			color = pixel(x, y, seed);
			if (ppm) {
				putchar(color >> 16 & 0xff);
				putchar(color >> 8 & 0xff);
				putchar(color & 0xff);
			} else {
				fwrite(&color, sizeof(color), 1, stdout);
			}
		}
	}

	return fclose(stdout) ? 1 : 0;
}
