#!/bin/sh
# Cuts sans.ttf out of DejaVu Sans (Debian's fonts-dejavu-core): Latin, Greek, arrows and a little
# mathematics. Needs fonttools (pip install fonttools).
set -eu
pyftsubset /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf --no-hinting --layout-features='' \
    --drop-tables+=GSUB,GPOS,GDEF,FFTM,kern --output-file="$(dirname "$0")/sans.ttf" \
    --unicodes=20-7E,A0-FF,391-3C9,2010-2015,2018-201D,2020,2026,2190-2193,2212,2248,2264,2265
