/* A stand-in for libnvidia-ml.so.1, as far as lossmon asks it anything.
 *
 * What it answers stands in the file that FAKE_NVML names, one "key value" a line, read at every
 * call: error codes are NVML's (0 success, 3 not supported, 4 no permission, 15 GPU is lost, ...).
 *   gpus N          how many (2)            init CODE     what opening gives
 *   all CODE        what every question gives
 *   lost INDEX      that GPU answers nothing
 *   power CODE      memory CODE  utilization CODE  processes CODE   what that question gives
 *   busy PERCENT    watts MILLIWATTS  reasons BITS   hang MILLISECONDS (one question)
 *   fan PERCENT  encoder PERCENT  decoder PERCENT   sent KIB  received KIB (over all links)
 *   video CODE  cooling CODE  throughput CODE   what that question gives
 *   lanes WIDTH  generation N   remap BITS (1 pending, 2 failed)   ecc COUNT   links UP   mig COUNT
 *   xid CODE GPU    any number of lines, each reported once
 *   process PID GPU MIB [PARTITION]   any number of lines; graphics PID GPU MIB likewise
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { unsigned int gpu, memory; } utilization_t;
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } memory_v2_t;
typedef struct {
    unsigned int pid;
    unsigned long long used;
    unsigned int gpu_instance, compute_instance;
} process_t;

enum {
    SUCCESS = 0, UNINITIALIZED = 1, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, TIMEOUT = 10,
    GPU_IS_LOST = 15
};

static int opened = 0;

static FILE *script(void) {
    const char *name = getenv("FAKE_NVML");
    return name ? fopen(name, "r") : NULL;
}

static long setting(const char *key, long otherwise) {
    FILE *file = script();
    char line[256], name[64];
    long value, found = otherwise;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%63s %ld", name, &value) == 2 && strcmp(name, key) == 0) found = value;
    if (file) fclose(file);
    return found;
}

static int verdict(void *device, const char *question) {
    if (!opened) return UNINITIALIZED;
    if (setting("all", 0)) return (int)setting("all", 0);
    if (device && setting("lost", -1) == (long)device - 1) return GPU_IS_LOST;
    return (int)setting(question, 0);
}

int nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    int code = (int)setting("init", 0);
    if (code == SUCCESS) opened = 1;
    return code;
}

int nvmlShutdown(void) {
    if (!opened) return UNINITIALIZED;
    opened = 0;
    return SUCCESS;
}

const char *nvmlErrorString(int code) {
    (void)code;
    return "Fake Trouble";
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    *count = (unsigned int)setting("gpus", 2);
    return verdict(NULL, "count");
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    *device = (void *)(long)(index + 1);
    return verdict(*device, "handle");
}

int nvmlDeviceGetName(void *device, char *name, unsigned int length) {
    snprintf(name, length, "FAKE H%ld\033[31m", 100 * (long)device);
    return verdict(device, "name");
}

int nvmlDeviceGetUtilizationRates(void *device, utilization_t *rates) {
    long pause = setting("hang", 0);
    struct timespec time = {pause / 1000, pause % 1000 * 1000000};
    if (pause) nanosleep(&time, NULL);
    rates->gpu = (unsigned int)setting("busy", 80) + (unsigned int)(long)device;
    rates->memory = 0;
    return verdict(device, "utilization");
}

int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = 80ULL << 30;
    memory->used = 61ULL << 30;
    memory->free = memory->total - memory->used;
    return verdict(device, "memory");
}

int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) {
    *milliwatts = (unsigned int)setting("watts", 412300);
    return verdict(device, "power");
}

int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned int *milliwatts) {
    *milliwatts = 700000;
    return verdict(device, "power");
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *degrees) {
    *degrees = 66;
    return sensor == 0 ? verdict(device, "temperature") : 2;
}

int nvmlDeviceGetClockInfo(void *device, int clock, unsigned int *mhz) {
    *mhz = clock == 1 ? 1755 : 2619;
    return clock == 1 || clock == 2 ? verdict(device, "clock") : 2;
}

static int reasons(void *device, unsigned long long *bits) {
    *bits = (unsigned long long)setting("reasons", 0);
    return verdict(device, "clock_reasons");
}

static int processes(const char *kind, void *device, unsigned int *count, process_t *list) {
    int code = verdict(device, "processes");
    if (code) return code;
    FILE *file = script();
    char line[256], name[64];
    unsigned int found = 0, capacity = *count, pid, gpu, mib, partition;
    while (file && fgets(line, sizeof line, file)) {
        partition = ~0u;
        if (sscanf(line, "%63s %u %u %u %u", name, &pid, &gpu, &mib, &partition) < 4) continue;
        if (strcmp(name, kind) || gpu + 1 != (unsigned int)(long)device) continue;
        if (list && found < capacity) {
            list[found].pid = pid;
            list[found].used = mib ? (unsigned long long)mib << 20 : ~0ULL;
            list[found].gpu_instance = list[found].compute_instance = partition;
        }
        found++;
    }
    if (file) fclose(file);
    *count = found;
    return found > capacity ? INSUFFICIENT_SIZE : SUCCESS;
}

typedef struct {
    void *device;
    unsigned long long type, data;
    unsigned int gpu_instance, compute_instance;
} event_t;

static unsigned int reported = 0;

int nvmlEventSetCreate(void **set) {
    reported = 0;
    *set = (void *)&reported;
    return verdict(NULL, "events");
}

int nvmlDeviceRegisterEvents(void *device, unsigned long long types, void *set) {
    (void)types, (void)set;
    return verdict(device, "events");
}

int nvmlEventSetWait_v2(void *set, event_t *event, unsigned int milliseconds) {
    (void)set, (void)milliseconds;
    FILE *file = script();
    char line[256], name[64];
    unsigned int code, gpu, seen = 0, found = 0;
    while (file && !found && fgets(line, sizeof line, file))
        if (sscanf(line, "%63s %u %u", name, &code, &gpu) == 3 && strcmp(name, "xid") == 0)
            found = seen++ == reported;
    if (file) fclose(file);
    if (!found) return TIMEOUT;
    reported++;
    *event = (event_t){(void *)(long)(gpu + 1), 8, code, ~0u, ~0u};
    return SUCCESS;
}

int nvmlDeviceGetIndex(void *device, unsigned int *index) {
    *index = (unsigned int)(long)device - 1;
    return SUCCESS;
}

int nvmlDeviceGetMaxClockInfo(void *device, int clock, unsigned int *mhz) {
    *mhz = 1980;
    return clock == 1 ? verdict(device, "clock") : 2;
}

int nvmlDeviceGetCurrPcieLinkGeneration(void *device, unsigned int *generation) {
    *generation = (unsigned int)setting("generation", 5);
    return verdict(device, "pcie");
}

int nvmlDeviceGetCurrPcieLinkWidth(void *device, unsigned int *lanes) {
    *lanes = (unsigned int)setting("lanes", 16);
    return verdict(device, "pcie");
}

int nvmlDeviceGetMaxPcieLinkGeneration(void *device, unsigned int *generation) {
    *generation = 5;
    return verdict(device, "pcie");
}

int nvmlDeviceGetMaxPcieLinkWidth(void *device, unsigned int *lanes) {
    *lanes = 16;
    return verdict(device, "pcie");
}

int nvmlDeviceGetTotalEccErrors(void *device, int type, int since, unsigned long long *count) {
    *count = type == 1 && since == 0 ? (unsigned long long)setting("ecc", 0) : 7;
    return verdict(device, "memory_errors");
}

int nvmlDeviceGetRemappedRows(void *device, unsigned int *corrected, unsigned int *uncorrected,
                              unsigned int *pending, unsigned int *failed) {
    long remap = setting("remap", 0);
    *corrected = *uncorrected = 0;
    *pending = remap & 1;
    *failed = remap >> 1 & 1;
    return verdict(device, "memory_errors");
}

int nvmlDeviceGetNvLinkState(void *device, unsigned int link, unsigned int *up) {
    *up = link < (unsigned int)setting("links", 18);
    return link < 18 ? verdict(device, "nvlink") : 2;
}

int nvmlDeviceGetFanSpeed(void *device, unsigned int *percent) {
    *percent = (unsigned int)setting("fan", 45);
    return verdict(device, "cooling");
}

int nvmlDeviceGetEncoderUtilization(void *device, unsigned int *percent, unsigned int *period) {
    *percent = (unsigned int)setting("encoder", 0);
    *period = 1000000;
    return verdict(device, "video");
}

int nvmlDeviceGetDecoderUtilization(void *device, unsigned int *percent, unsigned int *period) {
    *percent = (unsigned int)setting("decoder", 12);
    *period = 1000000;
    return verdict(device, "video");
}

typedef struct {
    unsigned int field, scope;
    long long timestamp, latency;
    int type, code;
    union { double real; unsigned long long whole; } value;
} field_t;

int nvmlDeviceGetFieldValues(void *device, int count, field_t *values) {
    for (int i = 0; i < count; i++) {
        int pcie = values[i].field >= 197, out = values[i].field == (pcie ? 197 : 138);
        const char *key = pcie ? (out ? "pcie_sent" : "pcie_received") : out ? "sent" : "received";
        values[i].code = values[i].scope == (pcie ? 0 : ~0u) ? verdict(device, "throughput") : 2;
        values[i].value.whole = (unsigned long long)setting(key, 1 << 20);
    }
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *device, unsigned int *mode, unsigned int *pending) {
    *mode = *pending = setting("mig", 0) > 0;
    return verdict(device, "mig_mode");
}

int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned int *count) {
    *count = 7;
    return verdict(device, "mig_mode");
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned int index, void **partition) {
    *partition = device;
    return index < (unsigned int)setting("mig", 0) ? verdict(device, "mig_mode") : NOT_FOUND;
}

#ifdef OLD_DRIVER

int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *bits) {
    return reasons(device, bits);
}

int nvmlDeviceGetComputeRunningProcesses_v2(void *device, unsigned int *count, process_t *list) {
    return processes("process", device, count, list);
}

int nvmlDeviceGetGraphicsRunningProcesses_v2(void *device, unsigned int *count, process_t *list) {
    return processes("graphics", device, count, list);
}

#else

int nvmlDeviceGetMemoryInfo_v2(void *device, memory_v2_t *memory) {
    memory->total = 80ULL << 30;
    memory->reserved = 1ULL << 30;
    memory->used = 60ULL << 30;
    memory->free = memory->total - memory->used - memory->reserved;
    return verdict(device, "memory");
}

int nvmlDeviceGetCurrentClocksEventReasons(void *device, unsigned long long *bits) {
    return reasons(device, bits);
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, process_t *list) {
    return processes("process", device, count, list);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned int *count, process_t *list) {
    return processes("graphics", device, count, list);
}

#endif
