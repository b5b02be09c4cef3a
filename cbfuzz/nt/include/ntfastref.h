/* Fast references and what kernels build callback lists on: not in the public headers, but in
 * those of every kernel of this kind, under one set of names or the other.
 *
 * A pointer to something that is aligned to 16 and a number of references that have been taken
 * beforehand share one word: who needs one takes it from there, with one exchange.
 */
#ifndef CBFUZZ_NTFASTREF_H
#define CBFUZZ_NTFASTREF_H

#include "ntps.h"

EXTERN_C_START

typedef struct _EX_FAST_REF {
    union {
        PVOID Object;
        ULONG_PTR RefCnt : 4;
        ULONG_PTR Value;
    };
} EX_FAST_REF, *PEX_FAST_REF;
#define MAX_FAST_REFS 15

FORCEINLINE PVOID ExGetObjectFastReference(EX_FAST_REF FastRef) {
    return (PVOID)(FastRef.Value & ~(ULONG_PTR)MAX_FAST_REFS);
}

FORCEINLINE ULONG ExGetCountFastReference(EX_FAST_REF FastRef) {
    return (ULONG)FastRef.RefCnt;
}

FORCEINLINE EX_FAST_REF RtlpMakeFastReference(PVOID Object, ULONG Count) {
    EX_FAST_REF New;
    ASSERT(((ULONG_PTR)Object & MAX_FAST_REFS) == 0);
    New.Value = Object == NULL ? 0 : (ULONG_PTR)Object | Count;
    return New;
}

FORCEINLINE EX_FAST_REF RtlpReadFastReference(PEX_FAST_REF FastRef) {
    EX_FAST_REF Old;
    Old.Object = ReadPointerNoFence((PVOID volatile *)&FastRef->Object);
    return Old;
}

FORCEINLINE BOOLEAN RtlpReplaceFastReference(PEX_FAST_REF FastRef, EX_FAST_REF Old,
                                             ULONG_PTR NewValue) {
    return (BOOLEAN)(InterlockedCompareExchangePointer(&FastRef->Object, (PVOID)NewValue,
                                                       Old.Object) == Old.Object);
}

/* Makes one with all its references, which the caller has taken. */
FORCEINLINE VOID ExInitializeFastReference(PEX_FAST_REF FastRef, PVOID Object) {
    *FastRef = RtlpMakeFastReference(Object, MAX_FAST_REFS);
}

/* Takes one reference out, if there is one; what it was before. */
FORCEINLINE EX_FAST_REF ExAcquireFastReference(PEX_FAST_REF FastRef) {
    EX_FAST_REF Old;
    do {
        Old = RtlpReadFastReference(FastRef);
    } while (Old.RefCnt != 0 && !RtlpReplaceFastReference(FastRef, Old, Old.Value - 1));
    return Old;
}

/* Puts references back, if the object is still there and there is place for them. */
FORCEINLINE BOOLEAN RtlpReturnFastReferences(PEX_FAST_REF FastRef, PVOID Object, ULONG Count) {
    EX_FAST_REF Old;
    do {
        Old = RtlpReadFastReference(FastRef);
        if (ExGetObjectFastReference(Old) != Object || Old.RefCnt + Count > MAX_FAST_REFS)
            return FALSE;
    } while (!RtlpReplaceFastReference(FastRef, Old, Old.Value + Count));
    return TRUE;
}

/* One that was taken; FALSE: the caller has to give it back to the object itself. */
FORCEINLINE BOOLEAN ExReleaseFastReference(PEX_FAST_REF FastRef, PVOID Object) {
    return RtlpReturnFastReferences(FastRef, Object, 1);
}

/* All of them, after the last one was taken. */
FORCEINLINE BOOLEAN ExInsertFastReference(PEX_FAST_REF FastRef, PVOID Object) {
    return RtlpReturnFastReferences(FastRef, Object, MAX_FAST_REFS);
}

/* Puts another object in its place; what it was before. */
FORCEINLINE EX_FAST_REF ExSwapFastReference(PEX_FAST_REF FastRef, PVOID Object) {
    EX_FAST_REF Old;
    Old.Object = InterlockedExchangePointer(&FastRef->Object,
                                            RtlpMakeFastReference(Object, MAX_FAST_REFS).Object);
    return Old;
}

/* The same, if its object is OldObject. */
FORCEINLINE EX_FAST_REF ExCompareSwapFastReference(PEX_FAST_REF FastRef, PVOID Object,
                                                   PVOID OldObject) {
    EX_FAST_REF New = RtlpMakeFastReference(Object, MAX_FAST_REFS), Old;
    do {
        Old = RtlpReadFastReference(FastRef);
    } while (ExGetObjectFastReference(Old) == OldObject &&
             !RtlpReplaceFastReference(FastRef, Old, New.Value));
    return Old;
}

/* The other set of names. */
#define ExFastRefGetObject(r) ExGetObjectFastReference(r)
#define ExFastRefGetUnusedReferences(r) ExGetCountFastReference(r)
#define ExFastRefGetAdditionalReferenceCount() MAX_FAST_REFS
#define ExFastRefObjectNull(r) ((BOOLEAN)((r).Value == 0))
#define ExFastRefCanBeReferenced(r) ((BOOLEAN)((r).RefCnt != 0))
#define ExFastRefIsLastReference(r) ((BOOLEAN)((r).RefCnt == 1))
#define ExFastRefEqualObjects(r, o) ((BOOLEAN)(ExGetObjectFastReference(r) == (o)))
#define ExFastRefInitialize(r, o) ExInitializeFastReference((r), (o))
#define ExFastRefInitializeEx(r, o, n) ((void)(*(r) = RtlpMakeFastReference((o), (n))))
#define ExFastReference(r) ExAcquireFastReference(r)
#define ExFastRefDereference(r, o) ExReleaseFastReference((r), (o))
#define ExFastRefAddAdditionalReferenceCounts(r, o, n) RtlpReturnFastReferences((r), (o), (n))
#define ExFastRefSwapObject(r, o) ExSwapFastReference((r), (o))
#define ExFastRefCompareSwapObject(r, o, e) ExCompareSwapFastReference((r), (o), (e))

/* A routine that a kernel keeps in such a word, protected from being run down. */
typedef NTSTATUS NTAPI EX_CALLBACK_FUNCTION(PVOID CallbackContext, PVOID Argument1,
                                            PVOID Argument2);
typedef EX_CALLBACK_FUNCTION *PEX_CALLBACK_FUNCTION;

typedef struct _EX_CALLBACK_ROUTINE_BLOCK {
    EX_RUNDOWN_REF RundownProtect;
    PEX_CALLBACK_FUNCTION Function;
    PVOID Context;
} EX_CALLBACK_ROUTINE_BLOCK, *PEX_CALLBACK_ROUTINE_BLOCK;

typedef struct _EX_CALLBACK {
    EX_FAST_REF RoutineBlock;
} EX_CALLBACK, *PEX_CALLBACK;

EXTERN_C_END

#endif
