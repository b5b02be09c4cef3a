/* Debug output: the kernel's format language, which is not the C library's. */
#include "internal.h"

void (*nt_debug_sink)(const char *text, size_t length);

typedef struct {
    char text[512]; /* what one call may print; the rest is cut off */
    size_t length;
} Output;

static void put(Output *out, char c) {
    if (out->length < sizeof(out->text)) out->text[out->length++] = c;
}

typedef struct {
    bool left, zero, plus;
    int width, precision;
    enum { BITS_32, BITS_64, BITS_16, BITS_8 } size;
    bool wide;
} Spec;

static void put_padded(Output *out, const Spec *spec, const char *text, size_t length) {
    size_t width = spec->width > 0 ? (size_t)spec->width : 0;
    for (size_t i = length; !spec->left && i < width; i++)
        put(out, spec->zero ? '0' : ' ');
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
    for (size_t i = length; spec->left && i < width; i++)
        put(out, ' ');
}

static void put_number(Output *out, const Spec *spec, uint64_t value, bool negative, unsigned base,
                       bool upper) {
    char digits[66];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
        value /= base;
    } while (value != 0);
    while (spec->precision > 0 && sizeof(digits) - at < (size_t)spec->precision && at > 1)
        digits[--at] = '0';
    if (negative || spec->plus) digits[--at] = negative ? '-' : '+';
    put_padded(out, spec, digits + at, sizeof(digits) - at);
}

/* Units beyond ASCII print as a question mark. */
static void put_units(Output *out, const Spec *spec, PCWSTR units, size_t count) {
    Output narrow = {.length = 0};
    for (size_t i = 0; i < count; i++)
        put(&narrow, units[i] >= 0x20 && units[i] < 0x7F ? (char)units[i] : '?');
    put_padded(out, spec, narrow.text, narrow.length);
}

static const char *parse(const char *format, Spec *spec, va_list *arguments) {
    *spec = (Spec){.precision = -1};
    for (;; format++) {
        if (*format == '-') spec->left = true;
        else if (*format == '0') spec->zero = true;
        else if (*format == '+') spec->plus = true;
        else if (*format != '#' && *format != ' ') break;
    }
    if (*format == '*') spec->width = va_arg(*arguments, int), format++;
    for (; *format >= '0' && *format <= '9' && spec->width < 1000; format++)
        spec->width = spec->width * 10 + (*format - '0');
    if (*format == '.') {
        spec->precision = 0;
        if (*++format == '*') spec->precision = va_arg(*arguments, int), format++;
        for (; *format >= '0' && *format <= '9' && spec->precision < 1000; format++)
            spec->precision = spec->precision * 10 + (*format - '0');
    }
    for (;; format++) {
        if (format[0] == 'I' && format[1] == '6' && format[2] == '4')
            spec->size = BITS_64, format += 2;
        else if (format[0] == 'I' && format[1] == '3' && format[2] == '2') format += 2;
        else if (*format == 'l' && format[1] == 'l') spec->size = BITS_64, format++;
        else if (*format == 'I' || *format == 'z' || *format == 't' || *format == 'j')
            spec->size = BITS_64;
        else if (*format == 'h') spec->size = spec->size == BITS_16 ? BITS_8 : BITS_16;
        else if (*format == 'w' || *format == 'l')
            spec->wide = true; /* of letters; a long number has 32 bits */
        else return format;
    }
}

static size_t limited(const Spec *spec, size_t length) {
    return spec->precision >= 0 && (size_t)spec->precision < length ? (size_t)spec->precision
                                                                    : length;
}

static void put_string(Output *out, const Spec *spec, bool wide, va_list *arguments) {
    const void *text = va_arg(*arguments, const void *);
    if (text == NULL) {
        put_padded(out, spec, "(null)", 6);
        return;
    }
    size_t limit = limited(spec, sizeof(out->text)), length = 0;
    if (wide) {
        while (length < limit && ((PCWSTR)text)[length] != 0)
            length++;
        put_units(out, spec, text, length);
    } else {
        while (length < limit && ((PCSTR)text)[length] != 0)
            length++;
        put_padded(out, spec, text, length);
    }
}

static void put_counted(Output *out, const Spec *spec, va_list *arguments) {
    const UNICODE_STRING *string = va_arg(*arguments, const UNICODE_STRING *);
    if (string == NULL) put_padded(out, spec, "(null)", 6);
    else if (spec->wide)
        put_units(out, spec, string->Buffer, limited(spec, string->Length / sizeof(WCHAR)));
    else put_padded(out, spec, (PCSTR)string->Buffer, limited(spec, string->Length));
}

static void put_integer(Output *out, const Spec *spec, char letter, va_list *arguments) {
    bool is_signed = letter == 'd' || letter == 'i';
    int64_t value = spec->size == BITS_64 ? va_arg(*arguments, int64_t) : va_arg(*arguments, int);
    if (spec->size == BITS_16) value = is_signed ? (int16_t)value : (uint16_t)value;
    else if (spec->size == BITS_8) value = is_signed ? (int8_t)value : (uint8_t)value;
    else if (spec->size == BITS_32 && !is_signed) value = (uint32_t)value;
    bool negative = is_signed && value < 0;
    unsigned base = letter == 'o' ? 8 : letter == 'x' || letter == 'X' ? 16 : 10;
    put_number(out, spec, negative ? 0 - (uint64_t)value : (uint64_t)value, negative, base,
               letter == 'X');
}

static void print(const char *format, va_list *arguments) {
    Output out = {.length = 0};
    Spec spec;
    for (; *format != 0; format++) {
        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format = parse(format + 1, &spec, arguments);
        char letter = *format;
        if (letter == 0) break;
        if (letter == 's' || letter == 'S') {
            put_string(&out, &spec, spec.wide || letter == 'S', arguments);
        } else if (letter == 'Z') {
            put_counted(&out, &spec, arguments);
        } else if (letter == 'c' || letter == 'C') {
            char c = (char)va_arg(*arguments, int);
            put_padded(&out, &spec, &c, 1);
        } else if (letter == 'p') {
            spec.precision = 16;
            put_number(&out, &spec, (uintptr_t)va_arg(*arguments, void *), false, 16, true);
        } else if (__builtin_strchr("diuoxX", letter) != NULL) {
            put_integer(&out, &spec, letter, arguments);
        } else {
            put(&out, letter);
        }
    }
    nt_debug_sink(out.text, out.length);
}

ULONG DbgPrint(PCSTR Format, ...) {
    if (nt_debug_sink == NULL) return STATUS_SUCCESS;
    va_list arguments;
    va_start(arguments, Format);
    print(Format, &arguments);
    va_end(arguments);
    return STATUS_SUCCESS;
}

ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...) {
    (void)ComponentId, (void)Level;
    if (nt_debug_sink == NULL) return STATUS_SUCCESS;
    va_list arguments;
    va_start(arguments, Format);
    print(Format, &arguments);
    va_end(arguments);
    return STATUS_SUCCESS;
}
