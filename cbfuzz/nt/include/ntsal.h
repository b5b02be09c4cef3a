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
#define _In_reads_z_(n)
#define _In_reads_opt_z_(n)
#define _In_reads_or_z_(n)
#define _In_reads_to_ptr_(p)
#define _In_count_(n)
#define _In_bytecount_(n)
#define _In_function_class_(c)
#define _Inout_z_
#define _Inout_opt_z_
#define _Inout_updates_z_(n)
#define _Inout_updates_opt_(n)
#define _Inout_updates_all_(n)
#define _Inout_updates_to_(a, b)
#define _Inout_updates_bytes_opt_(n)
#define _Inout_updates_bytes_all_(n)
#define _Inout_updates_bytes_to_(a, b)
#define _Out_writes_z_(n)
#define _Out_writes_opt_z_(n)
#define _Out_writes_all_(n)
#define _Out_writes_to_(a, b)
#define _Out_writes_to_opt_(a, b)
#define _Out_writes_bytes_all_(n)
#define _Out_writes_bytes_to_(a, b)
#define _Out_writes_bytes_to_opt_(a, b)
#define _Out_range_(a, b)
#define _Outptr_result_bytebuffer_(n)
#define _Outptr_result_bytebuffer_all_(n)
#define _Outptr_result_buffer_(n)
#define _Outptr_result_nullonfailure_
#define _Outptr_result_z_
#define _Outptr_opt_result_maybenull_
#define _COM_Outptr_
#define _Result_nullonfailure_
#define _Result_zeroonfailure_
#define _Ret_z_
#define _Ret_writes_(n)
#define _Ret_writes_bytes_(n)
#define _Ret_writes_maybenull_(n)
#define _Ret_range_(a, b)
#define _Null_terminated_
#define _NullNull_terminated_
#define _Notnull_
#define _Maybenull_
#define _Const_
#define _Notref_
#define _Points_to_data_
#define _Literal_
#define _Scanf_format_string_
#define _Strict_type_match_
#define _Deref_out_
#define _Deref_out_range_(a, b)
#define _Deref_out_opt_
#define _Deref_in_range_(a, b)
#define _Deref_inout_
#define _Deref_pre_maybenull_
#define _Pre_
#define _Post_
#define _Pre_valid_
#define _Pre_null_
#define _Pre_satisfies_(e)
#define _Post_satisfies_(e)
#define _Pre_writable_size_(n)
#define _Post_writable_byte_size_(n)
#define _Post_maybenull_
#define _Post_notnull_
#define _Post_null_
#define _Post_valid_
#define _Post_equal_to_(e)
#define _Prepost_
#define _Always_(a)
#define _On_failure_(a)
#define _Unchanged_(e)
#define _Valid_
#define _Notvalid_
#define _Return_type_success_(e)
#define _Group_(a)
#define _Raises_SEH_exception_
#define _Maybe_raises_SEH_exception_
#define _Called_from_function_class_(c)
#define _Field_range_(a, b)
#define _Field_z_
#define _Field_size_opt_(n)
#define _Field_size_full_(n)
#define _Field_size_part_(a, b)
#define _Field_size_bytes_opt_(n)
#define _Field_size_bytes_full_(n)
#define _Field_size_bytes_part_(a, b)
#define _Struct_size_bytes_(n)
#define _Write_guarded_by_(l)
#define _Create_lock_level_(l)
#define _Lock_level_order_(a, b)
#define _Analysis_assume_lock_held_(l)
#define _Analysis_assume_lock_acquired_(l)
#define _Analysis_assume_lock_released_(l)
#define _Analysis_assume_nullterminated_(p)
#define _Analysis_suppress_lock_checking_(l)
#define _Acquires_nonreentrant_lock_(l)
#define _Releases_nonreentrant_lock_(l)
#define _Acquires_exclusive_lock_for_(l)
#define _Requires_no_locks_held_
#define _Internal_lock_level_(l)
#define _No_competing_thread_
#define _No_competing_thread_begin_
#define _No_competing_thread_end_
#define _Benign_race_begin_
#define _Benign_race_end_
#define _Kernel_float_saved_
#define _Kernel_float_restored_
#define _Kernel_float_used_
#define _Kernel_acquires_resource_(r)
#define _Kernel_releases_resource_(r)
#define _Kernel_requires_resource_held_(r)
#define _Kernel_requires_resource_not_held_(r)
#define _Kernel_IoGetDmaAdapter_
#define _Kernel_entry_
#define _Dispatch_type_(t)
#define _IRQL_is_cancel_
#define _IRQL_limited_to_(l)
#define _Must_inspect_impl_
#define _Inexpressible_(e)
#define _Printf_format_string_params_(n)
#define _Check_return_opt_
#define _Check_return_wat_
#define _Allocator_
#define _Pre_defensive_
#define _Post_defensive_
#define _Use_decl_anno_impl_
#define _Drv_allocatesMem_(k)
#define _Drv_freesMem_(k)
#define _Drv_aliasesMem_
#define _Flt_CompletionContext_Outptr_
#define __drv_minIRQL(l)
#define __drv_raisesIRQL(l)
#define __drv_savesIRQL
#define __drv_restoresIRQL
#define __drv_savesIRQLGlobal(k, p)
#define __drv_restoresIRQLGlobal(k, p)
#define __drv_setsIRQL(l)
#define __drv_useCancelIRQL
#define __drv_mustHold(k)
#define __drv_neverHold(k)
#define __drv_mustHoldCriticalRegion
#define __drv_neverHoldCriticalRegion
#define __drv_acquiresCriticalRegion
#define __drv_releasesCriticalRegion
#define __drv_acquiresExclusiveResource(k)
#define __drv_releasesExclusiveResource(k)
#define __drv_acquiresResource(k)
#define __drv_releasesResource(k)
#define __drv_when(c, a)
#define __drv_at(e, a)
#define __drv_arg(e, a)
#define __drv_in(a)
#define __drv_out(a)
#define __drv_inout(a)
#define __drv_in_deref(a)
#define __drv_out_deref(a)
#define __drv_ret(a)
#define __drv_deref(a)
#define __drv_reportError(s)
#define __drv_inTry
#define __drv_notInTry
#define __drv_clearDoInit
#define __drv_dispatchType(t)
#define __drv_strictType(t, m)
#define __drv_strictTypeMatch(m)
#define __drv_constant
#define __drv_formatString(k)
#define __drv_preferredFunction(f, w)
#define __drv_valueIs(v)
#define __drv_nonConstant
#define __drv_interlocked
#define __drv_innerMustHoldGlobal(k, l)
#define __drv_maxFunctionIRQL(l)
#define __drv_minFunctionIRQL(l)
#define __drv_completionType(t)
#define __drv_callbackType(t)
#define __drv_isObjectPointer
#define __drv_typeConst
#define __drv_typeCond

/* The oldest form. The C++ library has names of its own like these. */
#ifndef __cplusplus
#define __in
#define __in_opt
#define __in_z
#define __in_opt_z
#define __in_bcount(n)
#define __in_bcount_opt(n)
#define __in_ecount(n)
#define __in_ecount_opt(n)
#define __inout
#define __inout_opt
#define __inout_bcount(n)
#define __inout_bcount_opt(n)
#define __inout_ecount(n)
#define __inout_ecount_opt(n)
#define __out
#define __out_opt
#define __out_bcount(n)
#define __out_bcount_opt(n)
#define __out_bcount_part(a, b)
#define __out_bcount_part_opt(a, b)
#define __out_ecount(n)
#define __out_ecount_opt(n)
#define __out_ecount_part(a, b)
#define __deref_out
#define __deref_out_opt
#define __deref_opt_out
#define __deref_opt_out_opt
#define __deref_inout
#define __deref_inout_opt
#define __deref_out_bcount(n)
#define __deref_out_ecount(n)
#define __reserved
#define __checkReturn
#define __success(e)
#define __callback
#define __nullterminated
#define __format_string
#define __range(a, b)
#define __field_bcount(n)
#define __field_ecount(n)
#define __bcount(n)
#define __ecount(n)
#define __notnull
#define __maybenull
#endif

#endif
