// A sound implementation in C++17: guards for locks and references, a snapshot for each
// notification.
//
// A notification pins the routines that are there when it begins into an array from pool, and calls
// those that are still registered when their turn comes. Without memory for the array it walks the
// list with one pin at a time, up to the last that was there at the beginning. A pinned
// registration stays linked. Unregistering from inside the own call returns; other threads' calls
// are polled for. The type is made with the first object; the directory and the system's objects
// are not its business.
#include <ntddk.h>
#include <ntifs.h>

namespace {

constexpr ULONG Tag = 'iiaR';

class SpinGuard {
  public:
    explicit SpinGuard(KSPIN_LOCK &lock) : lock_(lock) {
        KeAcquireSpinLock(&lock_, &irql_);
    }
    ~SpinGuard() {
        KeReleaseSpinLock(&lock_, irql_);
    }
    SpinGuard(const SpinGuard &) = delete;
    SpinGuard &operator=(const SpinGuard &) = delete;

  private:
    KSPIN_LOCK &lock_;
    KIRQL irql_;
};

template <typename T> class ObjectReference {
  public:
    ObjectReference() = default;
    explicit ObjectReference(T *object) : object_(object) {
        ObReferenceObject(object);
    }
    ~ObjectReference() {
        if (object_)
            ObDereferenceObject(object_);
    }
    ObjectReference(const ObjectReference &) = delete;
    ObjectReference &operator=(const ObjectReference &) = delete;
    static void adopt(ObjectReference &to, PVOID object) {
        to.object_ = static_cast<T *>(object);
    }
    T *detach() {
        T *object = object_;
        object_ = nullptr;
        return object;
    }
    T *operator->() const {
        return object_;
    }

  private:
    T *object_ = nullptr;
};

class Handle {
  public:
    ~Handle() {
        if (handle_)
            ZwClose(handle_);
    }
    PHANDLE out() {
        return &handle_;
    }

  private:
    HANDLE handle_ = nullptr;
};

template <typename T> class PoolArray {
  public:
    explicit PoolArray(SIZE_T count)
        : items_(
              count ? static_cast<T *>(ExAllocatePool2(POOL_FLAG_NON_PAGED, count * sizeof(T), Tag))
                    : nullptr) {
    }
    ~PoolArray() {
        if (items_)
            ExFreePoolWithTag(items_, Tag);
    }
    PoolArray(const PoolArray &) = delete;
    explicit operator bool() const {
        return items_ != nullptr;
    }
    T &operator[](SIZE_T i) {
        return items_[i];
    }

  private:
    T *items_;
};

struct Registration {
    LIST_ENTRY link;
    PCALLBACK_OBJECT object;
    PCALLBACK_FUNCTION function;
    PVOID context;
    ULONG64 number;
    ULONG pins;   // who still needs it: the list while it is registered, snapshots, calls
    bool removed; // is not called any more
};

struct Call {
    Call *next;
    Registration *registration;
    PKTHREAD thread;
};

} // namespace

struct _CALLBACK_OBJECT {
    KSPIN_LOCK lock;
    LIST_ENTRY registrations;
    Call *calls;
    ULONG64 numbers;
    ULONG registered;
    bool multiple;

    void initialize(bool allowMultiple) {
        KeInitializeSpinLock(&lock);
        InitializeListHead(&registrations);
        calls = nullptr;
        numbers = 0;
        registered = 0;
        multiple = allowMultiple;
    }
    bool add(Registration *registration);
    void remove(Registration *registration);
    void notify(PVOID argument1, PVOID argument2);

  private:
    bool runsElsewhere(const Registration *registration);
    void unpin(Registration *registration);
    void call(Registration *registration, PVOID argument1, PVOID argument2);
    Registration *pinAfter(const Registration *previous, ULONG64 limit);
    void notifyOneByOne(ULONG64 limit, PVOID argument1, PVOID argument2);
};

bool _CALLBACK_OBJECT::add(Registration *registration) {
    SpinGuard guard(lock);
    if (!multiple && registered)
        return false;
    registration->number = numbers++;
    registered++;
    InsertTailList(&registrations, &registration->link);
    return true;
}

void _CALLBACK_OBJECT::unpin(Registration *registration) {
    {
        SpinGuard guard(lock);
        if (--registration->pins)
            return;
        RemoveEntryList(&registration->link);
    }
    ExFreePoolWithTag(registration, Tag);
}

bool _CALLBACK_OBJECT::runsElsewhere(const Registration *registration) {
    SpinGuard guard(lock);
    for (const Call *call = calls; call; call = call->next)
        if (call->registration == registration && call->thread != KeGetCurrentThread())
            return true;
    return false;
}

void _CALLBACK_OBJECT::remove(Registration *registration) {
    {
        SpinGuard guard(lock);
        registration->removed = true;
        registered--;
    }
    LARGE_INTEGER pause;
    pause.QuadPart = -10000;
    while (runsElsewhere(registration))
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    unpin(registration);
}

void _CALLBACK_OBJECT::call(Registration *registration, PVOID argument1, PVOID argument2) {
    Call here{nullptr, registration, KeGetCurrentThread()};
    {
        SpinGuard guard(lock);
        if (registration->removed)
            return;
        here.next = calls;
        calls = &here;
    }
    registration->function(registration->context, argument1, argument2);
    SpinGuard guard(lock);
    Call **link = &calls;
    while (*link != &here)
        link = &(*link)->next;
    *link = here.next;
}

Registration *_CALLBACK_OBJECT::pinAfter(const Registration *previous, ULONG64 limit) {
    SpinGuard guard(lock);
    PLIST_ENTRY link = previous ? previous->link.Flink : registrations.Flink;
    if (link == &registrations)
        return nullptr;
    auto *next = CONTAINING_RECORD(link, Registration, link);
    if (next->number >= limit)
        return nullptr;
    next->pins++;
    return next;
}

void _CALLBACK_OBJECT::notifyOneByOne(ULONG64 limit, PVOID argument1, PVOID argument2) {
    Registration *current = pinAfter(nullptr, limit);
    while (current) {
        call(current, argument1, argument2);
        Registration *next = pinAfter(current, limit);
        unpin(current);
        current = next;
    }
}

void _CALLBACK_OBJECT::notify(PVOID argument1, PVOID argument2) {
    ULONG capacity, count = 0;
    ULONG64 limit;
    {
        SpinGuard guard(lock);
        capacity = registered;
        limit = numbers;
    }
    PoolArray<Registration *> snapshot(capacity);
    if (!snapshot)
        return notifyOneByOne(limit, argument1, argument2);
    {
        SpinGuard guard(lock);
        for (PLIST_ENTRY link = registrations.Flink; link != &registrations && count < capacity;
             link = link->Flink) {
            auto *registration = CONTAINING_RECORD(link, Registration, link);
            if (registration->removed)
                continue;
            registration->pins++;
            snapshot[count++] = registration;
        }
    }
    for (ULONG i = 0; i < count; i++) {
        call(snapshot[i], argument1, argument2);
        unpin(snapshot[i]);
    }
}

namespace {

POBJECT_TYPE callbackType;

NTSTATUS makeType() {
    if (callbackType)
        return STATUS_SUCCESS;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER initializer{};
    initializer.Length = sizeof initializer;
    initializer.PoolType = NonPagedPoolNx;
    initializer.ValidAccessMask = CALLBACK_ALL_ACCESS;
    return ObCreateObjectType(&name, &initializer, nullptr, &callbackType);
}

// The name goes with the handle, unless the object is permanent.
NTSTATUS makeObject(OBJECT_ATTRIBUTES attributes, bool multiple,
                    ObjectReference<_CALLBACK_OBJECT> &made) {
    PVOID object;
    attributes.Attributes |= OBJ_OPENIF;
    NTSTATUS status = ObCreateObject(KernelMode, callbackType, &attributes, KernelMode, nullptr,
                                     sizeof(_CALLBACK_OBJECT), 0, 0, &object);
    if (!NT_SUCCESS(status))
        return status;
    static_cast<PCALLBACK_OBJECT>(object)->initialize(multiple);
    Handle handle;
    status = ObInsertObject(object, nullptr, CALLBACK_ALL_ACCESS, 1, &object, handle.out());
    if (NT_SUCCESS(status))
        ObjectReference<_CALLBACK_OBJECT>::adopt(made, object);
    return status;
}

} // namespace

EXTERN_C_START

NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks) {
    if (!ObjectAttributes || !ObjectAttributes->ObjectName)
        return STATUS_UNSUCCESSFUL;
    NTSTATUS status = makeType();
    if (!NT_SUCCESS(status))
        return status;
    ObjectReference<_CALLBACK_OBJECT> reference;
    PVOID object;
    status = ObReferenceObjectByName(ObjectAttributes->ObjectName, ObjectAttributes->Attributes,
                                     nullptr, 0, callbackType, KernelMode, nullptr, &object);
    if (NT_SUCCESS(status))
        ObjectReference<_CALLBACK_OBJECT>::adopt(reference, object);
    else if (status == STATUS_OBJECT_NAME_NOT_FOUND && Create)
        status = makeObject(*ObjectAttributes, AllowMultipleCallbacks, reference);
    if (!NT_SUCCESS(status))
        return status;
    *CallbackObject = reference.detach();
    return STATUS_SUCCESS;
}

PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext) {
    if (!CallbackObject)
        return nullptr;
    ObjectReference<_CALLBACK_OBJECT> reference(CallbackObject);
    auto *registration = static_cast<Registration *>(
        ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(Registration), Tag));
    if (!registration)
        return nullptr;
    registration->object = CallbackObject;
    registration->function = CallbackFunction;
    registration->context = CallbackContext;
    registration->pins = 1;
    if (!CallbackObject->add(registration)) {
        ExFreePoolWithTag(registration, Tag);
        return nullptr;
    }
    reference.detach(); // the registration's from now on
    return registration;
}

VOID ExUnregisterCallback(PVOID CallbackRegistration) {
    auto *registration = static_cast<Registration *>(CallbackRegistration);
    if (!registration)
        return;
    ObjectReference<_CALLBACK_OBJECT> reference;
    ObjectReference<_CALLBACK_OBJECT>::adopt(reference, registration->object);
    reference->remove(registration);
}

VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2) {
    ObjectReference<_CALLBACK_OBJECT> reference(static_cast<PCALLBACK_OBJECT>(CallbackObject));
    reference->notify(Argument1, Argument2);
}

EXTERN_C_END
