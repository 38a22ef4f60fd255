/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration space of the host bridge in ssdt.asl: its own bus and one more.
 *
 * Linux takes one above 4 GiB from firmware that has a date, which a PVH guest has not,
 * or from that of SGI.
 */
[0004]              Signature : "MCFG"
[0004]           Table Length : 0000003C
[0001]               Revision : 01
[0001]               Checksum : 00
[0006]                 Oem ID : "SGI   "
[0008]           Oem Table ID : "XGDPCI  "
[0004]           Oem Revision : 00000001
[0004]        Asl Compiler ID : "INTL"
[0004]  Asl Compiler Revision : 00000001
[0008]               Reserved : 0000000000000000
[0008]           Base Address : 0000007FF0000000
[0002]   Segment Group Number : 0000
[0001]       Start Bus Number : 00
[0001]         End Bus Number : 01
[0004]               Reserved : 00000000
