#include "src/base/guard.h"

#include <pthread.h>

static pthread_mutex_t json_lock = PTHREAD_MUTEX_INITIALIZER; /* guards a global of the library's */

void nw_json_lock(void)
{
    pthread_mutex_lock(&json_lock);
}

void nw_json_unlock(void)
{
    pthread_mutex_unlock(&json_lock);
}
