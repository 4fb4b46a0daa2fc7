@ SPDX-License-Identifier: Apache-2.0 OR MIT
@
@ arm: a static 32-bit program without a C library: getpid (20), getppid (64), exit (1).

	.globl _start
	.text
	.arm
_start:
	mov	r7, #20
	svc	#0
	cmp	r0, #0
	ble	failed
	mov	r7, #64
	svc	#0
	mov	r0, #0
	mov	r7, #1
	svc	#0
failed:
	mov	r0, #99
	mov	r7, #1
	svc	#0
	.section .note.GNU-stack,"",%progbits
