/* Annotations of the source-code annotation language, all of them empty: they
 * tell a compiler of another vendor what a reader can read anyway. */
#ifndef CBFUZZ_NTSAL_H
#define CBFUZZ_NTSAL_H

#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _In_range_(a, b)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(n)
#define _Inout_updates_bytes_(n)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Reserved_
#define _Must_inspect_result_
#define _Check_return_
#define _Success_(e)
#define _When_(c, a)
#define _At_(t, a)
#define _Use_decl_annotations_
#define _Analysis_assume_(e)
#define _Analysis_noreturn_
#define _Function_class_(c)
#define _Field_size_(n)
#define _Field_size_bytes_(n)
#define _Guarded_by_(l)
#define _Interlocked_operand_
#define _Printf_format_string_
#define _Pre_notnull_
#define _Pre_maybenull_
#define _Post_invalid_
#define _Post_ptr_invalid_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Requires_lock_held_(l)
#define _Requires_lock_not_held_(l)
#define _Requires_exclusive_lock_held_(l)
#define _Requires_shared_lock_held_(l)
#define _Acquires_lock_(l)
#define _Acquires_exclusive_lock_(l)
#define _Acquires_shared_lock_(l)
#define _Releases_lock_(l)
#define _Releases_exclusive_lock_(l)
#define _Releases_shared_lock_(l)
#define _Has_lock_kind_(k)
#define _Has_lock_level_(l)
#define _Post_same_lock_(a, b)
#define _IRQL_requires_(l)
#define _IRQL_requires_max_(l)
#define _IRQL_requires_min_(l)
#define _IRQL_requires_same_
#define _IRQL_raises_(l)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(k, p)
#define _IRQL_restores_global_(k, p)
#define _IRQL_always_function_max_(l)
#define _IRQL_always_function_min_(l)
#define _Kernel_clear_do_init_(x)
#define __drv_maxIRQL(l)
#define __drv_requiresIRQL(l)
#define __drv_sameIRQL
#define __drv_allocatesMem(k)
#define __drv_freesMem(k)
#define __drv_aliasesMem
#define __drv_functionClass(c)
/* The oldest form, __in and __out, is left out: the C++ library uses those names. */

#endif
