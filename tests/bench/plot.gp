# SPDX-License-Identifier: GPL-2.0-only
#
# Bars of NAME.dat, a file of so many columns, into NAME.svg and NAME.png:
# gnuplot -e "name = 'NAME'" -e "unit = 'UNIT'" -e "columns = N" plot.gp

set datafile separator "\t"
set datafile missing '?'
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set key outside top center horizontal reverse Left samplen 1
# What is small is few, too.
if (strstrt(unit, 'instructions')) set logscale y; set format y '%.0s%c'
set ylabel unit
set grid ytics lc rgb '#cccccc'
set border 3
set tics nomirror
set xtics rotate by -20
set rmargin 10

set terminal svg size 900,420 font 'sans-serif,13'
set output name.'.svg'
plot for [i = 2:columns] name.'.dat' using i:xtic(1) title columnheader(i)
set terminal pngcairo size 900,420 font 'DejaVu Sans,10'
set output name.'.png'
replot
