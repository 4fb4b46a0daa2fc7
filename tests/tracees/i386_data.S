# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# i386_data: a static 32-bit program whose calls pass pointers of four bytes: access (33) of a path, open (5) of
# /dev/null, writev (146) of two buffers, write (4), and execve (11) of /bin/true with two arguments.

	.globl _start
	.text
_start:
	movl	$33, %eax
	movl	$path, %ebx
	xorl	%ecx, %ecx
	int	$0x80
	movl	$5, %eax
	movl	$null, %ebx
	movl	$1, %ecx
	xorl	%edx, %edx
	int	$0x80
	testl	%eax, %eax
	js	failed
	movl	%eax, %esi
	movl	$146, %eax
	movl	%esi, %ebx
	movl	$vector, %ecx
	movl	$2, %edx
	int	$0x80
	cmpl	$8, %eax
	jne	failed
	movl	$11, %eax
	movl	$program, %ebx
	movl	$arguments, %ecx
	xorl	%edx, %edx
	int	$0x80
failed:
	movl	$1, %eax
	movl	$99, %ebx
	int	$0x80
	.data
path:	.asciz	"/no/such/file"
null:	.asciz	"/dev/null"
one:	.ascii	"one"
three:	.ascii	"three"
program: .asciz	"/bin/true"
second:	.asciz	"second"
vector:	.long	one, 3, three, 5
arguments: .long	program, second, 0
	.section .note.GNU-stack,"",@progbits
