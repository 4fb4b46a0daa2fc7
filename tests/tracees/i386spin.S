# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# i386spin: a static 32-bit program that writes "ready" and then, until it is killed, calls getpid
# (20, which is writev in the native table) and computes for some microseconds.

	.globl _start
	.text
_start:
	movl	$4, %eax
	movl	$1, %ebx
	movl	$ready, %ecx
	movl	$6, %edx
	int	$0x80
call:
	movl	$20, %eax
	int	$0x80
	movl	$20000, %ecx
compute:
	decl	%ecx
	jnz	compute
	jmp	call
	.section .rodata
ready:
	.ascii	"ready\n"
	.section .note.GNU-stack,"",@progbits
