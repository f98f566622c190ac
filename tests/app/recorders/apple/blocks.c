/* Blocks that retain the objects that they capture, as Apple's runtime has them; the one of Debian
 * does not. By Clang's "Block Implementation Specification". */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { IS_GLOBAL = 1 << 28, HAS_COPY_DISPOSE = 1 << 25, IS_HEAP = 1 << 24 };
enum { FIELD_IS_OBJECT = 3, FIELD_IS_BLOCK = 7 };

struct descriptor {
    unsigned long reserved, size;
    void (*copy)(void *to, void *from);
    void (*dispose)(void *block);
};

struct block {
    void *isa;
    int flags;
    int references; /* "reserved" on the stack */
    void (*invoke)(void);
    struct descriptor *descriptor;
};

void *_NSConcreteStackBlock[32], *_NSConcreteGlobalBlock[32], *_NSConcreteMallocBlock[32];

void standin_retain(void *object);
void standin_release(void *object);

void *_Block_copy(const void *given) {
    struct block *block = (struct block *)(uintptr_t)given;
    if (block == NULL || block->flags & IS_GLOBAL) return block;
    if (block->flags & IS_HEAP) {
        __atomic_add_fetch(&block->references, 1, __ATOMIC_SEQ_CST);
        return block;
    }
    struct block *copy = malloc(block->descriptor->size);
    if (copy == NULL) abort();
    memcpy(copy, block, block->descriptor->size);
    copy->isa = _NSConcreteMallocBlock;
    copy->flags |= IS_HEAP;
    copy->references = 1;
    if (copy->flags & HAS_COPY_DISPOSE) copy->descriptor->copy(copy, block);
    return copy;
}

void _Block_release(const void *given) {
    struct block *block = (struct block *)(uintptr_t)given;
    if (block == NULL || !(block->flags & IS_HEAP)) return;
    if (__atomic_sub_fetch(&block->references, 1, __ATOMIC_SEQ_CST) > 0) return;
    if (block->flags & HAS_COPY_DISPOSE) block->descriptor->dispose(block);
    free(block);
}

void _Block_object_assign(void *to, const void *object, int flags) {
    void *kept = (void *)(uintptr_t)object;
    if ((flags & FIELD_IS_BLOCK) == FIELD_IS_BLOCK) kept = _Block_copy(object);
    else if ((flags & FIELD_IS_OBJECT) == FIELD_IS_OBJECT) standin_retain(kept);
    else abort(); /* __block variables are not used */
    memcpy(to, &kept, sizeof kept);
}

void _Block_object_dispose(const void *object, int flags) {
    if ((flags & FIELD_IS_BLOCK) == FIELD_IS_BLOCK) _Block_release(object);
    else standin_release((void *)(uintptr_t)object);
}
