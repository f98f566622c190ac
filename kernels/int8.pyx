"""Networks of int8 numbers: convolutions, pooling, sums and tables, one after the other.

A `Program` is a list of operators over one buffer of int8 numbers, the arena, in which each tensor
has its place: [image][row][column][channel], the last dimension adjacent. An operator checks its
sizes once, when it is made; running it is a flat function without checks, allocation or Python.

A convolution first copies its image with the border around it, so that the patch under a filter
consists of a few contiguous pieces, and then takes inner products of 16 filters with up to 8
pixels (int8_simd.h):

    scratch    [row][column][channel]             the image in its border, (u)int8 or int16
    weights    [16 filters][piece][group][filter][element of group]
    sums       [pixel][filter]                    int32, (8, 16)

A real number is (q - zero_point) * scale. Sums are brought to the scale of the output by a 31-bit
multiplier and a power of two (Jacob et al. 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", section 2.2), rounded after the one and after the
other. Halves go as in the default kernels of tflite-runtime 2.14, so that its numbers come out
again: after the multiplier up; after the power of two up in convolutions and dense layers (Ruy's
way), and away from zero in all others (gemmlowp's way).
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

cdef extern from "int8_simd.h":
    enum:
        EDGE_FILTERS
        EDGE_PIXELS
        EDGE_MOST_INSTRUCTIONS
    ctypedef void (*dot_kernel "edge_dot")(
        const void*, const int32_t*, int, const int32_t*, Py_ssize_t, Py_ssize_t, const void*,
        const int32_t*, int32_t*) noexcept nogil
    ctypedef struct Scales "edge_scales":
        int32_t* multipliers
        int32_t* lefts
        int32_t* rights
    ctypedef void (*rescale_kernel "edge_rescale")(
        const int32_t*, int, const Scales*, int, int, int, int8_t*) noexcept nogil
    ctypedef struct SumScales "edge_sum_scales":
        int32_t zero_first, zero_second, multiplier_first, right_first, multiplier_second
        int32_t right_second, multiplier, right, zero_point, low, high
    ctypedef void (*add_kernel "edge_add")(
        const int8_t*, const int8_t*, Py_ssize_t, const SumScales*, int8_t*) noexcept nogil
    ctypedef struct Instructions "edge_instructions":
        const char* name
        int group, bytes, offset
        dot_kernel dot
        rescale_kernel rescale
        add_kernel add
    int find_instructions "edge_find_instructions"(Instructions*)

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define EDGE_RESTRICT __restrict
    #define EDGE_INLINE __forceinline
    #else
    #define EDGE_RESTRICT __restrict__
    #define EDGE_INLINE __inline__ __attribute__((always_inline))
    #endif
    #if defined(EDGE_TARGET_CLONES)
    #define EDGE_CLONES EDGE_QUICK __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define EDGE_CLONES EDGE_QUICK
    #endif

    typedef int8_t *EDGE_RESTRICT edge_bytes;
    typedef int16_t *EDGE_RESTRICT edge_shorts;

    /* Cython has no word for these attributes; they are taken over from the first declaration. */
    static EDGE_QUICK void edge_pack_weights(
        const int8_t *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t,
        void *);
    static EDGE_QUICK int64_t edge_weight_sum(const int8_t *, Py_ssize_t);
    static EDGE_QUICK void edge_convolve(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_convolve_depthwise(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_pool_maxima(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_pool_averages(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_reduce_to_means(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_reduce_to_maxima(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_combine_pairs(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_look_up(const void *, int8_t *, int8_t *);
    static EDGE_QUICK void edge_rearrange(const void *, int8_t *, int8_t *);
    static EDGE_QUICK EDGE_INLINE int32_t edge_scaled(int32_t, int32_t, int32_t);
    static EDGE_QUICK EDGE_INLINE int32_t edge_twice(int32_t, int32_t, int32_t, int32_t);
    static EDGE_CLONES void edge_border_bytes(
        const int8_t *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t,
        Py_ssize_t, int, int, edge_bytes);
    static EDGE_CLONES void edge_border_shorts(
        const int8_t *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t,
        Py_ssize_t, Py_ssize_t, int, edge_shorts);
    static EDGE_CLONES void edge_depthwise_pixel(
        const int16_t *, const int32_t *, Py_ssize_t, const int16_t *, Py_ssize_t, const int32_t *,
        const int32_t *, const int32_t *, const int32_t *, int, int, int, edge_bytes);
    static EDGE_CLONES void edge_maximum(
        const int8_t *, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t, edge_bytes);
    static EDGE_CLONES void edge_accumulate(
        const int8_t *, Py_ssize_t, int32_t *EDGE_RESTRICT);
    static EDGE_CLONES void edge_multiply_row(
        const int8_t *, const int8_t *, Py_ssize_t, int, int, int32_t, int32_t, int32_t, int, int,
        int, edge_bytes);
    static EDGE_CLONES void edge_clamp(edge_bytes, Py_ssize_t, int, int);
    static EDGE_CLONES void edge_quantise(
        const float *, Py_ssize_t, float, int, edge_bytes);
    """
    ctypedef int8_t* bytes_row "edge_bytes"
    ctypedef int16_t* shorts_row "edge_shorts"
    ctypedef int32_t* totals_row "int32_t *EDGE_RESTRICT"

cdef enum:
    FILTERS = 16
    PIXELS = 8
    BLOCK = 64                       # channels that are worked on side by side
    SLACK = 64                       # readable bytes beyond the end of a scratch
    ALIGNMENT = 64
    LARGEST = 1 << 28                # bytes of an arena, of a scratch

assert FILTERS == EDGE_FILTERS and PIXELS == EDGE_PIXELS

ctypedef void (*Call)(const void* plan, int8_t* arena, int8_t* scratch) noexcept nogil

cdef struct Step:
    Call call
    const void* plan


cdef class Operator:
    """One step of a program; its kinds are below.

    reach: so many bytes of the arena it needs
    scratch: so many bytes beside the arena it needs
    """

    cdef readonly Py_ssize_t reach, scratch
    cdef Step step
    cdef void* tables                # what the plan points to, in one piece
    cdef Py_ssize_t taken

    def __cinit__(self):
        self.tables = NULL

    def __dealloc__(self):
        free(self.tables)

    cdef make_tables(self, Py_ssize_t size):
        """Room for tables of so many bytes in all, zeros."""
        if self.tables != NULL:
            raise ValueError("an operator is made once")
        self.tables = calloc(size + ALIGNMENT, 1)
        if self.tables == NULL:
            raise MemoryError

    cdef void* take(self, Py_ssize_t size):
        """The next of the tables; each begins where any type may."""
        cdef Py_ssize_t begin = self.taken
        self.taken = begin + (size + 7) // 8 * 8
        return <char*> self.tables + begin

    cdef place(self, Py_ssize_t offset, Py_ssize_t size):
        """Books a place in the arena."""
        if offset < 0 or not 0 <= size <= LARGEST or offset > LARGEST - size:
            raise ValueError(f"no place of {size} bytes at {offset}")
        self.reach = max(self.reach, offset + size)


cdef class Program:
    """Operators that run one after the other over one arena. Not for several threads at once.

    operators: list of `Operator`
    source, source_bytes: where in the arena the input is put
    target, target_bytes: where the output is found
    constants: pairs of a place and the bytes that stay there
    """

    cdef readonly Py_ssize_t arena_bytes, scratch_bytes
    cdef Py_ssize_t source, source_bytes, target, target_bytes
    cdef list operators
    cdef Step* steps
    cdef void* memory
    cdef int8_t* arena
    cdef int8_t* scratch

    def __cinit__(self):
        self.steps = NULL
        self.memory = NULL

    def __init__(self, operators, Py_ssize_t source, Py_ssize_t source_bytes, Py_ssize_t target,
                 Py_ssize_t target_bytes, constants=()):
        cdef Operator operator
        cdef Operator ends = Operator()
        cdef Py_ssize_t n = 0, offset
        cdef const int8_t[::1] values
        if self.steps != NULL:
            raise ValueError("a program is made once")
        ends.place(source, source_bytes)
        ends.place(target, target_bytes)
        self.source, self.source_bytes = source, source_bytes
        self.target, self.target_bytes = target, target_bytes
        self.operators = list(operators)
        for offset, values in constants:
            ends.place(offset, values.shape[0])
        self.arena_bytes = ends.reach
        for operator in self.operators:
            if operator.step.call == NULL:
                raise ValueError("an operator that does nothing")
            self.arena_bytes = max(self.arena_bytes, operator.reach)
            self.scratch_bytes = max(self.scratch_bytes, operator.scratch)
        self.arena_bytes = (self.arena_bytes + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        self.memory = calloc(self.arena_bytes + self.scratch_bytes + SLACK + ALIGNMENT, 1)
        self.steps = <Step*> malloc(max(1, len(self.operators)) * sizeof(Step))
        if self.memory == NULL or self.steps == NULL:
            raise MemoryError
        self.arena = <int8_t*> (
            (<size_t> self.memory + ALIGNMENT - 1) & ~(<size_t> ALIGNMENT - 1))
        self.scratch = self.arena + self.arena_bytes
        for offset, values in constants:
            if values.shape[0]:
                memcpy(self.arena + offset, &values[0], values.shape[0])
        for operator in self.operators:
            self.steps[n] = operator.step
            n += 1

    def __dealloc__(self):
        free(self.steps)
        free(self.memory)

    def run(self, const int8_t[::1] values, int8_t[::1] out):
        """values: (source_bytes,) int8; out: (target_bytes,) int8, written to."""
        cdef Py_ssize_t n, steps = len(self.operators)
        if values.shape[0] != self.source_bytes or out.shape[0] != self.target_bytes:
            raise ValueError(f"takes {self.source_bytes} values and gives {self.target_bytes}")
        with nogil:
            if self.source_bytes:
                memcpy(self.arena + self.source, &values[0], self.source_bytes)
            for n in range(steps):
                self.steps[n].call(self.steps[n].plan, self.arena, self.scratch)
            if self.target_bytes:
                memcpy(&out[0], self.arena + self.target, self.target_bytes)


def instruction_sets():
    """Names of those that this processor has and convolutions can use, the quickest first."""
    cdef Instructions found[EDGE_MOST_INSTRUCTIONS]
    return tuple(found[n].name.decode() for n in range(find_instructions(found)))


cdef Instructions choose_instructions(str name) except *:
    cdef Instructions found[EDGE_MOST_INSTRUCTIONS]
    cdef int n
    for n in range(find_instructions(found)):
        if name is None or found[n].name.decode() == name:
            return found[n]
    raise ValueError(f"no instructions {name!r} here")


def quantise(const float[::1] values, float scale, int zero_point, int8_t[::1] out):
    """out[i] = round(values[i] / scale) + zero_point within int8, halves away from zero.

    values, out: (n,); what is no number becomes 127
    """
    if values.shape[0] != out.shape[0]:
        raise ValueError("values and out differ in length")
    if values.shape[0]:
        with nogil:
            quantise_values(&values[0], values.shape[0], scale, zero_point, &out[0])


cdef struct Window:
    Py_ssize_t images, height, width, channels
    Py_ssize_t out_height, out_width
    Py_ssize_t kernel_height, kernel_width, stride_height, stride_width
    Py_ssize_t dilation_height, dilation_width
    Py_ssize_t top, left


cdef Window checked_window(values) except *:
    """Of (images, height, width, channels, out_height, out_width, kernel_height, kernel_width,
    stride_height, stride_width, dilation_height, dilation_width, top, left)."""
    cdef Window window
    if not all(1 <= value <= 1 << 20 for value in values[:12]):
        raise ValueError(f"window: sizes from 1 to 1048576, got {values}")
    if not all(0 <= value <= 1 << 20 for value in values[12:]):
        raise ValueError(f"window: a border from 0 to 1048576, got {values[12:]}")
    (window.images, window.height, window.width, window.channels, window.out_height,
     window.out_width, window.kernel_height, window.kernel_width, window.stride_height,
     window.stride_width, window.dilation_height, window.dilation_width, window.top,
     window.left) = values
    return window


cdef Py_ssize_t product(values) except -1:
    """Of sizes, that must stay within what an arena can be."""
    total = 1
    for value in values:
        total *= value
    if not 0 <= total <= LARGEST:
        raise ValueError(f"sizes {values} exceed {LARGEST} bytes")
    return total


cdef check_range(int zero_point, int low, int high):
    if not -128 <= zero_point <= 127 or not -128 <= low <= high <= 127:
        raise ValueError("zero_point, low, high: within int8, low at most high")


cdef check_scaling(const int32_t[::1] multipliers, const int32_t[::1] shifts):
    cdef Py_ssize_t n
    for n in range(multipliers.shape[0]):
        check_scale(multipliers[n], shifts[n])


cdef int check_scale(int32_t multiplier, int shift) except -1:
    if multiplier < 0 or not -31 <= shift <= 7:
        raise ValueError("multipliers from 0, shifts from -31 to 7")
    return 0


cdef struct Reach:
    Py_ssize_t rows, columns         # of the image in its border


cdef Reach reach_of(const Window* w) noexcept:
    """How much of a plane the patches cover."""
    cdef Reach reach
    reach.rows = (
        (w.out_height - 1) * w.stride_height + (w.kernel_height - 1) * w.dilation_height + 1)
    reach.columns = (
        (w.out_width - 1) * w.stride_width + (w.kernel_width - 1) * w.dilation_width + 1)
    return reach


cdef struct ConvolutionPlan:
    Window window
    Instructions use
    Py_ssize_t source, target, filters
    Py_ssize_t rows, columns         # of the image in its border
    Py_ssize_t pixels, segments, groups, block_bytes
    const int32_t* pixel_offsets     # (pixels,)
    const int32_t* segment_offsets   # (segments,)
    const int8_t* weights
    const int32_t* biases            # (padded filters,)
    const Scales* scales             # (blocks,)
    int zero_point, out_zero_point, low, high


cdef class Convolution(Operator):
    """CONV_2D, and FULLY_CONNECTED as a convolution of images of one pixel.

    source, target: places in the arena
    window: as for `checked_window`
    weights: (filters * kernel_height * kernel_width * channels,) int8, the channels adjacent
    biases, multipliers, shifts: (filters,) int32
    zero_point: of the input, with which the border is filled
    out_zero_point, low, high: of the output
    instructions: one of `instruction_sets()`, the first when None

    The factor of a filter is multiplier * 2 ** (shift - 31).
    """

    cdef ConvolutionPlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, window, const int8_t[::1] weights,
                 const int32_t[::1] biases, const int32_t[::1] multipliers,
                 const int32_t[::1] shifts, int zero_point, int out_zero_point, int low, int high,
                 str instructions=None):
        cdef ConvolutionPlan* plan = &self.plan
        cdef Window w = checked_window(window)
        cdef Reach reach = reach_of(&w)
        cdef Py_ssize_t filters = biases.shape[0]
        cdef Py_ssize_t taps = w.kernel_height * w.kernel_width, length = w.channels
        plan.window = w
        plan.use = choose_instructions(instructions)
        check_filters(weights.shape[0], taps * w.channels, biases, multipliers, shifts)
        check_range(zero_point, low, high)
        check_range(out_zero_point, low, high)
        plan.source, plan.target, plan.filters = source, target, filters
        plan.zero_point, plan.out_zero_point = zero_point, out_zero_point
        plan.low, plan.high = low, high
        self.place(source, product((w.images, w.height, w.width, w.channels)))
        self.place(target, product((w.images, w.out_height, w.out_width, filters)))
        plan.rows, plan.columns = reach.rows, reach.columns
        self.scratch = SLACK + product((plan.rows, plan.columns, w.channels, plan.use.bytes))
        plan.pixels = w.out_height * w.out_width
        plan.segments = taps
        if w.dilation_width == 1:    # a row of taps is in one piece
            plan.segments = w.kernel_height
            if w.dilation_height == 1 and plan.columns == w.kernel_width:
                plan.segments = 1    # and so are the rows
        length = taps // plan.segments * w.channels
        plan.groups = (length + plan.use.group - 1) // plan.use.group
        plan.block_bytes = product(
            (plan.segments, plan.groups, FILTERS, plan.use.group, plan.use.bytes))
        self.fill_tables(weights, biases, multipliers, shifts, length)
        self.step.plan = plan
        self.step.call = convolve

    cdef fill_tables(self, const int8_t[::1] weights, const int32_t[::1] biases,
                     const int32_t[::1] multipliers, const int32_t[::1] shifts,
                     Py_ssize_t length):
        cdef ConvolutionPlan* plan = &self.plan
        cdef Window* w = &plan.window
        cdef Py_ssize_t filters = plan.filters, group = plan.use.group
        cdef Py_ssize_t blocks = (filters + FILTERS - 1) // FILTERS, padded = blocks * FILTERS
        cdef Py_ssize_t y, x, n, f, s, depth = plan.segments * length
        cdef int64_t zero
        product((blocks, plan.block_bytes))
        self.make_tables(
            blocks * plan.block_bytes
            + blocks * sizeof(Scales) + (padded + plan.pixels + plan.segments) * sizeof(int32_t))
        cdef Scales* scales = <Scales*> self.take(blocks * sizeof(Scales))
        cdef int32_t* sums = <int32_t*> self.take(padded * sizeof(int32_t))
        cdef int32_t* pixels = <int32_t*> self.take(plan.pixels * sizeof(int32_t))
        cdef int32_t* segments = <int32_t*> self.take(plan.segments * sizeof(int32_t))
        cdef int8_t* packed = <int8_t*> self.take(blocks * plan.block_bytes)
        for y in range(w.out_height):
            for x in range(w.out_width):
                pixels[y * w.out_width + x] = <int32_t> (
                    (y * w.stride_height * plan.columns + x * w.stride_width) * w.channels)
        n = w.kernel_width if plan.segments == w.kernel_height * w.kernel_width else 1
        for s in range(plan.segments):
            segments[s] = <int32_t> (
                (s // n * w.dilation_height * plan.columns + s % n * w.dilation_width)
                * w.channels)
        pack_weights(
            &weights[0], filters, plan.segments, length, plan.groups, plan.use.group,
            plan.use.bytes, packed)
        # Where the image is not centred, its zero is in every product, and is taken off the bias.
        zero = plan.zero_point + plan.use.offset if plan.use.bytes == 1 else 0
        for f in range(filters):
            sums[f] = <int32_t> (biases[f] - zero * weight_sum(&weights[f * depth], depth))
            scales[f // FILTERS].multipliers[f % FILTERS] = multipliers[f]
            scales[f // FILTERS].lefts[f % FILTERS] = max(shifts[f], 0)
            scales[f // FILTERS].rights[f % FILTERS] = max(-shifts[f], 0)
        plan.biases = sums
        plan.scales = scales
        plan.pixel_offsets = pixels
        plan.segment_offsets = segments
        plan.weights = packed


cdef void pack_weights "edge_pack_weights"(
    const int8_t* weights,           # IN (filters, segments, length)
    Py_ssize_t filters, Py_ssize_t segments, Py_ssize_t length, Py_ssize_t groups,
    Py_ssize_t group, Py_ssize_t size,
    void* packed,                    # OUT (blocks, segments, groups, FILTERS, group), zeros before
) noexcept nogil:
    cdef int8_t* bytes_out = <int8_t*> packed
    cdef int16_t* shorts_out = <int16_t*> packed
    cdef Py_ssize_t block, f, filter, s, i, g, element, at = 0
    cdef int8_t weight
    for block in range((filters + FILTERS - 1) // FILTERS):
        for s in range(segments):
            for g in range(groups):
                for f in range(FILTERS):
                    filter = block * FILTERS + f
                    for element in range(group):
                        i = g * group + element
                        if filter < filters and i < length:
                            weight = weights[(filter * segments + s) * length + i]
                            if size == 1:
                                bytes_out[at] = weight
                            else:
                                shorts_out[at] = weight
                        at += 1


cdef int64_t weight_sum "edge_weight_sum"(const int8_t* weights, Py_ssize_t n) noexcept nogil:
    cdef int64_t total = 0
    cdef Py_ssize_t i
    for i in range(n):
        total += weights[i]
    return total


cdef check_filters(Py_ssize_t weights, Py_ssize_t of_each, const int32_t[::1] biases,
                   const int32_t[::1] multipliers, const int32_t[::1] shifts):
    cdef Py_ssize_t filters = biases.shape[0]
    if filters < 1 or multipliers.shape[0] != filters or shifts.shape[0] != filters:
        raise ValueError("biases, multipliers, shifts: one for each filter")
    if weights != product((filters, of_each)):
        raise ValueError(f"weights: {filters} times {of_each}, got {weights}")
    check_scaling(multipliers, shifts)


cdef void convolve "edge_convolve"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const ConvolutionPlan* plan = <const ConvolutionPlan*> steps
    cdef const Window* w = &plan.window
    cdef const int8_t* image = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef int32_t[PIXELS * FILTERS] sums
    cdef int8_t[PIXELS * FILTERS] tile
    cdef Py_ssize_t number, first, pixel, block, filters, p
    cdef int count
    for number in range(w.images):
        if plan.use.bytes == 1:
            border_bytes(
                image, w.height, w.width, w.channels, w.top, w.left, plan.rows, plan.columns,
                plan.zero_point, plan.use.offset, scratch)
        else:
            border_shorts(
                image, w.height, w.width, w.channels, 1, w.top, w.left, plan.rows, plan.columns,
                plan.zero_point, <int16_t*> scratch)
        block = 0
        first = 0
        while first < plan.filters:
            filters = min(<Py_ssize_t> FILTERS, plan.filters - first)
            pixel = 0
            while pixel < plan.pixels:
                count = <int> min(<Py_ssize_t> PIXELS, plan.pixels - pixel)
                plan.use.dot(
                    scratch, plan.pixel_offsets + pixel, count, plan.segment_offsets,
                    plan.segments, plan.groups, plan.weights + block * plan.block_bytes,
                    plan.biases + first, sums)
                plan.use.rescale(sums, count, plan.scales + block, plan.out_zero_point, plan.low,
                                 plan.high, tile)
                if filters == FILTERS:
                    for p in range(count):
                        memcpy(out + (pixel + p) * plan.filters + first, tile + p * FILTERS,
                               FILTERS)
                else:
                    for p in range(count):
                        memcpy(out + (pixel + p) * plan.filters + first, tile + p * FILTERS,
                               filters)
                pixel += PIXELS
            block += 1
            first += FILTERS
        image += w.height * w.width * w.channels
        out += plan.pixels * plan.filters


cdef void border_bytes "edge_border_bytes"(
    const int8_t* image,             # IN (height, width, channels)
    Py_ssize_t height, Py_ssize_t width, Py_ssize_t channels, Py_ssize_t top, Py_ssize_t left,
    Py_ssize_t rows, Py_ssize_t columns, int zero_point, int offset,
    bytes_row out,                   # OUT (rows, columns, channels), int8 + offset
) noexcept nogil:
    cdef Py_ssize_t row, y, i, length = columns * channels
    cdef Py_ssize_t begin = min(columns, left) * channels
    cdef Py_ssize_t end = begin + min(columns * channels - begin, width * channels)
    cdef int8_t zero = <int8_t> <uint8_t> (zero_point + offset)
    cdef const int8_t* at
    for row in range(rows):
        y = row - top
        if y < 0 or y >= height:
            for i in range(length):
                out[i] = zero
        else:
            at = image + y * width * channels
            for i in range(begin):
                out[i] = zero
            for i in range(end - begin):
                out[begin + i] = <int8_t> <uint8_t> (at[i] + offset)
            for i in range(end, length):
                out[i] = zero
        out += length


cdef void border_shorts "edge_border_shorts"(
    const int8_t* image,             # IN (height, width, channels)
    Py_ssize_t height, Py_ssize_t width, Py_ssize_t channels, Py_ssize_t repeats, Py_ssize_t top,
    Py_ssize_t left, Py_ssize_t rows, Py_ssize_t columns, int zero_point,
    shorts_row out,                  # OUT (rows, columns, channels * repeats), 0 for the zero point
) noexcept nogil:
    cdef Py_ssize_t row, y, i, r, depth = channels * repeats, length = columns * depth
    cdef Py_ssize_t begin = min(columns, left) * depth
    cdef Py_ssize_t end = begin + min(columns * depth - begin, width * depth)
    cdef const int8_t* at
    for row in range(rows):
        y = row - top
        if y < 0 or y >= height:
            for i in range(length):
                out[i] = 0
        else:
            at = image + y * width * channels
            for i in range(begin):
                out[i] = 0
            if repeats == 1:
                for i in range(end - begin):
                    out[begin + i] = <int16_t> (at[i] - zero_point)
            else:
                for i in range((end - begin) // repeats):
                    for r in range(repeats):
                        out[begin + i * repeats + r] = <int16_t> (at[i] - zero_point)
            for i in range(end, length):
                out[i] = 0
        out += length


cdef int32_t scaled "edge_scaled"(int32_t value, int32_t multiplier, int32_t left) noexcept nogil:
    """value * multiplier * 2 ** (left - 31), halves up; value * 2 ** left is within 32 bits.

    The 32 bits are the same whether the shift to the right keeps the sign or not, and not every
    processor has vectors of 64 bits for the one that does.
    """
    value = <int32_t> (<uint32_t> value << left)
    return <int32_t> (
        (<uint64_t> (<int64_t> value * <int64_t> multiplier) + (<uint64_t> 1 << 30)) >> 31)


cdef int32_t twice "edge_twice"(
    int32_t value, int32_t multiplier, int32_t left, int32_t right,
) noexcept nogil:
    """value * multiplier * 2 ** (left - right - 31), at the end halves away from zero."""
    cdef int32_t high = scaled(value, multiplier, left)
    cdef int32_t half = <int32_t> ((<uint32_t> 1 << right) >> 1)
    return (high + half - (1 if (high < 0 and right > 0) else 0)) >> right


cdef struct DepthwisePlan:
    Window window
    Py_ssize_t source, target, filters, repeats
    Py_ssize_t rows, columns, taps, padded
    const int32_t* tap_offsets       # (taps,)
    const int16_t* weights           # (taps, padded)
    const int32_t* biases            # (padded,)
    const int32_t* multipliers
    const int32_t* lefts
    const int32_t* rights
    int zero_point, out_zero_point, low, high


cdef class DepthwiseConvolution(Operator):
    """DEPTHWISE_CONV_2D: each channel by filters of its own.

    weights: (kernel_height * kernel_width * filters,) int8, the filters adjacent, a multiple of
        the channels
    The others as for `Convolution`.
    """

    cdef DepthwisePlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, window, const int8_t[::1] weights,
                 const int32_t[::1] biases, const int32_t[::1] multipliers,
                 const int32_t[::1] shifts, int zero_point, int out_zero_point, int low, int high):
        cdef DepthwisePlan* plan = &self.plan
        cdef Window w = checked_window(window)
        cdef Reach reach = reach_of(&w)
        cdef Py_ssize_t filters = biases.shape[0], y, x, f, tap, padded
        plan.window = w
        plan.taps = w.kernel_height * w.kernel_width
        check_filters(weights.shape[0], plan.taps, biases, multipliers, shifts)
        if filters % w.channels:
            raise ValueError(f"{filters} filters for {w.channels} channels")
        check_range(zero_point, low, high)
        check_range(out_zero_point, low, high)
        plan.source, plan.target, plan.filters = source, target, filters
        plan.repeats = filters // w.channels
        plan.zero_point, plan.out_zero_point = zero_point, out_zero_point
        plan.low, plan.high = low, high
        self.place(source, product((w.images, w.height, w.width, w.channels)))
        self.place(target, product((w.images, w.out_height, w.out_width, filters)))
        plan.rows, plan.columns = reach.rows, reach.columns
        self.scratch = SLACK + product((plan.rows, plan.columns, filters, sizeof(int16_t)))
        padded = (filters + FILTERS - 1) // FILTERS * FILTERS
        plan.padded = padded
        self.make_tables(
            plan.taps * (sizeof(int32_t) + padded * sizeof(int16_t)) + 8
            + 4 * padded * sizeof(int32_t))
        cdef int32_t* tables = <int32_t*> self.take(4 * padded * sizeof(int32_t))
        cdef int32_t* taps = <int32_t*> self.take(plan.taps * sizeof(int32_t))
        cdef int16_t* packed = <int16_t*> self.take(plan.taps * padded * sizeof(int16_t))
        for tap in range(plan.taps):
            y, x = tap // w.kernel_width, tap % w.kernel_width
            taps[tap] = <int32_t> (
                (y * w.dilation_height * plan.columns + x * w.dilation_width) * filters)
            for f in range(filters):
                packed[tap * padded + f] = weights[tap * filters + f]
        for f in range(filters):
            tables[f] = biases[f]
            tables[padded + f] = multipliers[f]
            tables[2 * padded + f] = max(shifts[f], 0)
            tables[3 * padded + f] = max(-shifts[f], 0)
        plan.tap_offsets = taps
        plan.weights = packed
        plan.biases = tables
        plan.multipliers = tables + padded
        plan.lefts = tables + 2 * padded
        plan.rights = tables + 3 * padded
        self.step.plan = plan
        self.step.call = convolve_depthwise


cdef void convolve_depthwise "edge_convolve_depthwise"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const DepthwisePlan* plan = <const DepthwisePlan*> steps
    cdef const Window* w = &plan.window
    cdef const int8_t* image = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef const int16_t* at
    cdef int8_t[FILTERS] tile
    cdef Py_ssize_t number, y, x, first
    for number in range(w.images):
        border_shorts(
            image, w.height, w.width, w.channels, plan.repeats, w.top, w.left, plan.rows,
            plan.columns, plan.zero_point, <int16_t*> scratch)
        for y in range(w.out_height):
            for x in range(w.out_width):
                at = <const int16_t*> scratch + (
                    y * w.stride_height * plan.columns + x * w.stride_width) * plan.filters
                first = 0
                while first < plan.filters:
                    depthwise_pixel(
                        at + first, plan.tap_offsets, plan.taps, plan.weights + first,
                        plan.padded, plan.biases + first, plan.multipliers + first,
                        plan.lefts + first, plan.rights + first, plan.out_zero_point, plan.low,
                        plan.high, tile)
                    memcpy(out + first, tile, min(<Py_ssize_t> FILTERS, plan.filters - first))
                    first += FILTERS
                out += plan.filters
        image += w.height * w.width * w.channels


cdef void depthwise_pixel "edge_depthwise_pixel"(
    const int16_t* x, const int32_t* tap_offsets, Py_ssize_t taps,
    const int16_t* weights,          # (taps, padded), of which FILTERS columns
    Py_ssize_t padded, const int32_t* biases, const int32_t* multipliers, const int32_t* lefts,
    const int32_t* rights, int zero_point, int low, int high,
    bytes_row out,                   # OUT (FILTERS,)
) noexcept nogil:
    cdef int32_t[FILTERS] sums
    cdef int32_t value
    cdef Py_ssize_t tap, f
    cdef const int16_t* at
    cdef const int16_t* weight
    for f in range(FILTERS):
        sums[f] = biases[f]
    for tap in range(taps):
        at = x + tap_offsets[tap]
        weight = weights + tap * padded
        for f in range(FILTERS):
            sums[f] += <int32_t> at[f] * <int32_t> weight[f]
    for f in range(FILTERS):
        value = twice(sums[f], multipliers[f], lefts[f], rights[f]) + zero_point
        value = low if value < low else value
        out[f] = <int8_t> (high if value > high else value)


cdef struct PoolPlan:
    Window window
    Py_ssize_t source, target
    int low, high


cdef class MaxPool(Operator):
    """MAX_POOL_2D. source, target, window, low, high: as for `Convolution`."""

    cdef PoolPlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, window, int low, int high):
        fill_pool(self, &self.plan, source, target, window, low, high)
        self.step.call = pool_maxima


cdef class AveragePool(Operator):
    """AVERAGE_POOL_2D, over what of the window is inside the image; halves away from zero."""

    cdef PoolPlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, window, int low, int high):
        fill_pool(self, &self.plan, source, target, window, low, high)
        self.step.call = pool_averages


cdef fill_pool(Operator operator, PoolPlan* plan, Py_ssize_t source, Py_ssize_t target, window,
               int low, int high):
    cdef Window w = checked_window(window)
    check_range(0, low, high)
    if w.dilation_height != 1 or w.dilation_width != 1:
        raise ValueError("pooling has no dilation")
    plan.window, plan.source, plan.target, plan.low, plan.high = w, source, target, low, high
    operator.place(source, product((w.images, w.height, w.width, w.channels)))
    operator.place(target, product((w.images, w.out_height, w.out_width, w.channels)))
    operator.step.plan = plan


cdef void pool_maxima "edge_pool_maxima"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const PoolPlan* plan = <const PoolPlan*> steps
    cdef const Window* w = &plan.window
    cdef const int8_t* image = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef Py_ssize_t number, y, x, row, column, top, bottom, left, right
    for number in range(w.images):
        for y in range(w.out_height):
            top = max(<Py_ssize_t> 0, y * w.stride_height - w.top)
            bottom = min(w.height, y * w.stride_height - w.top + w.kernel_height)
            for x in range(w.out_width):
                left = max(<Py_ssize_t> 0, x * w.stride_width - w.left)
                right = min(w.width, x * w.stride_width - w.left + w.kernel_width)
                maximum(image + (top * w.width + left) * w.channels, bottom - top, right - left,
                        w.width, w.channels, out)
                out += w.channels
        image += w.height * w.width * w.channels
    if plan.low > -128 or plan.high < 127:
        clamp(arena + plan.target, w.images * w.out_height * w.out_width * w.channels, plan.low,
              plan.high)


cdef void pool_averages "edge_pool_averages"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const PoolPlan* plan = <const PoolPlan*> steps
    cdef const Window* w = &plan.window
    cdef const int8_t* image = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef int32_t[BLOCK] sums
    cdef int32_t cells, value
    cdef Py_ssize_t number, y, x, row, column, top, bottom, left, right, first, channels, c
    for number in range(w.images):
        for y in range(w.out_height):
            top = max(<Py_ssize_t> 0, y * w.stride_height - w.top)
            bottom = min(w.height, y * w.stride_height - w.top + w.kernel_height)
            for x in range(w.out_width):
                left = max(<Py_ssize_t> 0, x * w.stride_width - w.left)
                right = min(w.width, x * w.stride_width - w.left + w.kernel_width)
                cells = <int32_t> (
                    max(<Py_ssize_t> 0, bottom - top) * max(<Py_ssize_t> 0, right - left))
                first = 0
                while first < w.channels:
                    channels = min(<Py_ssize_t> BLOCK, w.channels - first)
                    memset(sums, 0, sizeof(sums))
                    for row in range(top, bottom):
                        for column in range(left, right):
                            accumulate(image + (row * w.width + column) * w.channels + first,
                                       channels, sums)
                    for c in range(channels):
                        value = sums[c]
                        if cells > 0:
                            value = (value + (cells // 2 if value > 0 else -(cells // 2))) // cells
                        value = plan.low if value < plan.low else value
                        out[first + c] = <int8_t> (plan.high if value > plan.high else value)
                    first += BLOCK
                out += w.channels
        image += w.height * w.width * w.channels


cdef void maximum "edge_maximum"(
    const int8_t* values,            # IN (rows, width, channels), of which the first columns
    Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t width, Py_ssize_t channels,
    bytes_row out,                   # OUT (channels,)
) noexcept nogil:
    cdef Py_ssize_t row, column, c
    cdef const int8_t* at
    for c in range(channels):
        out[c] = -128
    for row in range(rows):
        for column in range(columns):
            at = values + (row * width + column) * channels
            for c in range(channels):
                out[c] = at[c] if at[c] > out[c] else out[c]


cdef void accumulate "edge_accumulate"(
    const int8_t* values, Py_ssize_t n,
    totals_row sums,                 # IN OUT (n,)
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        sums[i] += values[i]


cdef void clamp "edge_clamp"(
    bytes_row values,                # IN OUT (n,)
    Py_ssize_t n, int low, int high,
) noexcept nogil:
    cdef Py_ssize_t i
    cdef int8_t value, least = <int8_t> low, most = <int8_t> high
    for i in range(n):
        value = least if values[i] < least else values[i]
        values[i] = most if value > most else value


cdef struct ReductionPlan:
    Py_ssize_t source, target, outer, reduced, inner
    int32_t before, multiplier, left, right, after


cdef class Mean(Operator):
    """MEAN over adjacent dimensions: (outer, reduced, inner) to (outer, inner).

    out = rescale(sum + before, multiplier, shift) + after, rounded twice, within int8
    """

    cdef ReductionPlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, sizes, int32_t before,
                 int32_t multiplier, int shift, int32_t after):
        fill_reduction(self, &self.plan, source, target, sizes)
        check_scale(multiplier, shift)
        self.plan.before, self.plan.multiplier, self.plan.after = before, multiplier, after
        self.plan.left, self.plan.right = max(shift, 0), max(-shift, 0)
        self.step.call = reduce_to_means


cdef class Maximum(Operator):
    """REDUCE_MAX over adjacent dimensions: (outer, reduced, inner) to (outer, inner)."""

    cdef ReductionPlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, sizes):
        fill_reduction(self, &self.plan, source, target, sizes)
        self.step.call = reduce_to_maxima


cdef fill_reduction(Operator operator, ReductionPlan* plan, Py_ssize_t source, Py_ssize_t target,
                    sizes):
    outer, reduced, inner = sizes
    if min(sizes) < 1:
        raise ValueError(f"sizes: from 1, got {sizes}")
    operator.place(source, product((outer, reduced, inner)))
    operator.place(target, product((outer, inner)))
    plan.source, plan.target = source, target
    plan.outer, plan.reduced, plan.inner = outer, reduced, inner
    operator.step.plan = plan


cdef void reduce_to_means "edge_reduce_to_means"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const ReductionPlan* plan = <const ReductionPlan*> steps
    cdef const int8_t* values = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef int32_t[BLOCK] sums
    cdef int32_t value
    cdef Py_ssize_t o, r, first, n, c
    for o in range(plan.outer):
        first = 0
        while first < plan.inner:
            n = min(<Py_ssize_t> BLOCK, plan.inner - first)
            memset(sums, 0, sizeof(sums))
            for r in range(plan.reduced):
                accumulate(values + r * plan.inner + first, n, sums)
            for c in range(n):
                value = plan.after + twice(
                    sums[c] + plan.before, plan.multiplier, plan.left, plan.right)
                value = -128 if value < -128 else value
                out[first + c] = <int8_t> (127 if value > 127 else value)
            first += BLOCK
        values += plan.reduced * plan.inner
        out += plan.inner


cdef void reduce_to_maxima "edge_reduce_to_maxima"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const ReductionPlan* plan = <const ReductionPlan*> steps
    cdef const int8_t* values = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef Py_ssize_t o
    for o in range(plan.outer):
        maximum(values, 1, plan.reduced, 0, plan.inner, out)
        values += plan.reduced * plan.inner
        out += plan.inner


cdef struct PairPlan:
    Py_ssize_t first, second, target
    Py_ssize_t[4] sizes
    Py_ssize_t[4] first_strides
    Py_ssize_t[4] second_strides
    SumScales scales
    int32_t left                     # of a product
    add_kernel add                   # NULL for a product


cdef class Addition(Operator):
    """ADD: both inputs are shifted left by 20 bits and brought to one scale, then added.

    first, second, target: places in the arena
    sizes, first_strides, second_strides: of four dimensions; a stride of 0 repeats
    zero_points: of first, second, output
    scalings: (multiplier, shift) of first, second, output, shifts at most 0
    instructions: one of `instruction_sets()`, the first when None
    """

    cdef PairPlan plan

    def __init__(self, Py_ssize_t first, Py_ssize_t second, Py_ssize_t target, sizes,
                 first_strides, second_strides, zero_points, scalings, int low, int high,
                 str instructions=None):
        cdef SumScales* scales = &self.plan.scales
        fill_pair(self, &self.plan, first, second, target, sizes, first_strides, second_strides,
                  zero_points, low, high)
        for multiplier, shift in scalings:
            check_scale(multiplier, shift)
            if shift > 0:
                raise ValueError("shifts: at most 0")
        (scales.multiplier_first, shift_first), second_scaling, last = scalings
        scales.multiplier_second, shift_second = second_scaling
        scales.multiplier, shift = last
        scales.right_first, scales.right_second = -shift_first, -shift_second
        scales.right = -shift
        self.plan.add = choose_instructions(instructions).add


cdef class Multiplication(Operator):
    """MUL. scaling: (multiplier, shift) of the output; the others as for `Addition`."""

    cdef PairPlan plan

    def __init__(self, Py_ssize_t first, Py_ssize_t second, Py_ssize_t target, sizes,
                 first_strides, second_strides, zero_points, scaling, int low, int high):
        fill_pair(self, &self.plan, first, second, target, sizes, first_strides, second_strides,
                  zero_points, low, high)
        multiplier, shift = scaling
        check_scale(multiplier, shift)
        self.plan.scales.multiplier = multiplier
        self.plan.left, self.plan.scales.right = max(shift, 0), max(-shift, 0)


cdef fill_pair(Operator operator, PairPlan* plan, Py_ssize_t first, Py_ssize_t second,
               Py_ssize_t target, sizes, first_strides, second_strides, zero_points, int low,
               int high):
    cdef SumScales* scales = &plan.scales
    plan.first, plan.second, plan.target, plan.add = first, second, target, NULL
    scales.low, scales.high = low, high
    for zero_point in zero_points:
        check_range(zero_point, low, high)
    scales.zero_first, scales.zero_second, scales.zero_point = zero_points
    if not len(sizes) == len(first_strides) == len(second_strides) == 4:
        raise ValueError("sizes, strides: four each")
    if min(sizes) < 1 or min(*first_strides, *second_strides) < 0:
        raise ValueError("sizes from 1, strides from 0")
    if max(first_strides[3], second_strides[3]) > 1:
        raise ValueError("the last stride is 0 or 1")
    reach_first = reach_second = 1
    operator.place(target, product(sizes))
    for n in range(4):
        reach_first += (sizes[n] - 1) * first_strides[n]
        reach_second += (sizes[n] - 1) * second_strides[n]
        plan.sizes[n] = sizes[n]
        plan.first_strides[n] = first_strides[n]
        plan.second_strides[n] = second_strides[n]
    operator.place(first, product((reach_first,)))
    operator.place(second, product((reach_second,)))
    operator.step.plan = plan
    operator.step.call = combine_pairs


cdef void combine_pairs "edge_combine_pairs"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const PairPlan* plan = <const PairPlan*> steps
    cdef const int8_t* first
    cdef const int8_t* second
    cdef int8_t* out = arena + plan.target
    cdef Py_ssize_t i, j, k, n = plan.sizes[3], start = 0
    cdef int8_t[BLOCK] firsts
    cdef int8_t[BLOCK] seconds
    for i in range(plan.sizes[0]):
        for j in range(plan.sizes[1]):
            for k in range(plan.sizes[2]):
                first = arena + plan.first + (
                    i * plan.first_strides[0] + j * plan.first_strides[1]
                    + k * plan.first_strides[2])
                second = arena + plan.second + (
                    i * plan.second_strides[0] + j * plan.second_strides[1]
                    + k * plan.second_strides[2])
                if plan.first_strides[3] and plan.second_strides[3]:
                    combine_row(plan, first, second, n, out)
                else:
                    memset(firsts, first[0], BLOCK)
                    memset(seconds, second[0], BLOCK)
                    start = 0
                    while start < n:
                        combine_row(
                            plan, first + start if plan.first_strides[3] else firsts,
                            second + start if plan.second_strides[3] else seconds,
                            min(<Py_ssize_t> BLOCK, n - start), out + start)
                        start += BLOCK
                out += n


cdef void combine_row(
    const PairPlan* plan, const int8_t* first, const int8_t* second, Py_ssize_t n, int8_t* out,
) noexcept nogil:
    cdef const SumScales* scales = &plan.scales
    if plan.add != NULL:
        plan.add(first, second, n, scales, out)
    else:
        multiply_row(first, second, n, scales.zero_first, scales.zero_second, scales.multiplier,
                     plan.left, scales.right, scales.zero_point, scales.low, scales.high, out)


cdef void multiply_row "edge_multiply_row"(
    const int8_t* first, const int8_t* second, Py_ssize_t n, int zero_first, int zero_second,
    int32_t multiplier, int32_t left, int32_t right, int zero_point, int low, int high,
    bytes_row out,                   # OUT (n,)
) noexcept nogil:
    cdef Py_ssize_t i
    cdef int32_t value
    for i in range(n):
        value = (first[i] - zero_first) * (second[i] - zero_second)
        value = twice(value, multiplier, left, right) + zero_point
        value = low if value < low else value
        out[i] = <int8_t> (high if value > high else value)


cdef struct LookupPlan:
    Py_ssize_t source, target, n
    int8_t[256] table


cdef class Lookup(Operator):
    """Any function of one number: out[i] = table[value + 128].

    n: numbers; table: (256,) int8
    """

    cdef LookupPlan plan

    def __init__(self, Py_ssize_t source, Py_ssize_t target, Py_ssize_t n,
                 const int8_t[::1] table):
        if table.shape[0] != 256:
            raise ValueError("table: (256,)")
        self.place(source, n)
        self.place(target, n)
        self.plan.source, self.plan.target, self.plan.n = source, target, n
        memcpy(self.plan.table, &table[0], 256)
        self.step.plan = &self.plan
        self.step.call = look_up


cdef void look_up "edge_look_up"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const LookupPlan* plan = <const LookupPlan*> steps
    cdef const int8_t* values = arena + plan.source
    cdef int8_t* out = arena + plan.target
    cdef Py_ssize_t i
    for i in range(plan.n):
        out[i] = plan.table[values[i] + 128]


cdef struct RearrangementPlan:
    Py_ssize_t target, n, runs
    const int32_t* moves             # (runs, 3)
    int fill
    bint filled


cdef class Rearrangement(Operator):
    """Whatever moves numbers and changes none: PAD, CONCATENATION, TRANSPOSE and their like.

    target, n: place and size of the output
    moves: (3 * runs,) int32, of each run: from which place of the arena, to which place, how many
        numbers
    fill: what stands where nothing is moved to; None where no such place is left
    """

    cdef RearrangementPlan plan

    def __init__(self, Py_ssize_t target, Py_ssize_t n, const int32_t[::1] moves, fill=None):
        cdef Py_ssize_t run, runs = moves.shape[0] // 3, begin, length
        cdef int32_t* copy
        if moves.shape[0] % 3:
            raise ValueError("moves: three numbers for each run")
        self.place(target, n)
        for run in range(runs):
            begin, length = moves[3 * run + 1], moves[3 * run + 2]
            self.place(moves[3 * run], length)
            if begin < target or begin + length > target + n:
                raise ValueError("moves: to the output")
        self.make_tables(3 * runs * sizeof(int32_t))
        copy = <int32_t*> self.take(3 * runs * sizeof(int32_t))
        if runs:
            memcpy(copy, &moves[0], 3 * runs * sizeof(int32_t))
        self.plan.target, self.plan.n, self.plan.runs = target, n, runs
        self.plan.moves = copy
        self.plan.filled = fill is not None
        self.plan.fill = 0 if fill is None else fill
        self.step.plan = &self.plan
        self.step.call = rearrange


cdef void rearrange "edge_rearrange"(
    const void* steps, int8_t* arena, int8_t* scratch,
) noexcept nogil:
    cdef const RearrangementPlan* plan = <const RearrangementPlan*> steps
    cdef Py_ssize_t run
    cdef const int32_t* move = plan.moves
    if plan.filled:
        memset(arena + plan.target, plan.fill, plan.n)
    for run in range(plan.runs):
        memcpy(arena + move[1], arena + move[0], move[2])
        move += 3


cdef void quantise_values "edge_quantise"(
    const float* values, Py_ssize_t n, float scale, int zero_point,
    bytes_row out,                   # OUT (n,)
) noexcept nogil:
    """The quotient is rounded to float32 first; a half is then added exactly, in float64."""
    cdef Py_ssize_t i
    cdef double quotient, size
    cdef int32_t value
    for i in range(n):
        quotient = <double> (values[i] / scale)
        size = (-quotient if quotient < 0 else quotient) + 0.5
        value = <int32_t> (size if size < 1024 else 1024)
        value = (-value if quotient < 0 else value) + zero_point
        value = -128 if value < -128 else value
        out[i] = <int8_t> (127 if value > 127 else value)
