// The plain event loop: one binary heap over all customers by (time, customer), and
// every moment of every customer passes through it. `model.inc` holds the rules, put
// into C++ from the model's own source.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <queue>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

template <typename T>
struct Array {
    T* data;
    int64_t rows;
    int64_t columns;
    T& operator()(int64_t row) const { return data[row]; }
    T& operator()(int64_t row, int64_t column) const {
        return data[row * columns + column];
    }
};

static inline int64_t floor_quotient(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static inline int64_t floor_rest(int64_t a, int64_t b) {
    return a - b * floor_quotient(a, b);
}

static inline std::tuple<double, int64_t> fn_split(double x) {
    const int64_t root_half = INT64_C(0x3FE6A09E667F3BCD);  // bits of sqrt(1/2)
    int64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const int64_t above = bits - root_half;
    bits = (above & INT64_C(0xFFFFFFFFFFFFF)) + root_half;
    std::memcpy(&x, &bits, sizeof bits);
    return {x, above >> 52};
}

static inline double fn_power_of_two(int64_t k) {
    uint64_t bits = static_cast<uint64_t>(k + 1023) << 52;
    double power;
    std::memcpy(&power, &bits, sizeof power);
    return power;
}

static inline uint64_t fn_word(uint64_t x) { return x; }

#include "model.inc"

using Moment = std::pair<double, int32_t>;
using Heap = std::priority_queue<Moment, std::vector<Moment>, std::greater<Moment>>;

static void happen(const World& world, int64_t customer, double at) {
    switch (world.customers[customer].phase) {
        case PROSPECT: fn_consider(world, customer, at); break;
        case CONTENT: fn_be_content(world, customer, at); break;
        case TURNING_UP: fn_turn_up(world, customer, at); break;
        case AT_CLOSED_DOOR: fn_enter_front_door(world, customer, at); break;
        case IN_HOOP: fn_end_hoop(world, customer, at); break;
        case GIVING_UP: fn_give_up(world, customer, at); break;
        case AT_FRONT: fn_join_front(world, customer, at); break;
        case AT_AGENT: fn_end_handling(world, customer, at); break;
        case PROMISED: fn_meet_promise(world, customer, at); break;
        case AT_BACK: fn_join_back(world, customer, at); break;
        case AT_SUPERVISOR: fn_end_approval(world, customer, at); break;
        case IN_REPAIR: fn_end_repair(world, customer, at); break;
        case LEAVING:
            fn_depart(world, customer, at, world.customers[customer].closing);
            break;
    }
}

// When a customer's pending moment is due. For the content, it is the next thing that
// happens to them.
static double due(const World& world, int64_t customer) {
    const Customer& one = world.customers[customer];
    if (one.phase != CONTENT || one.at >= world.plan.horizon) return one.at;
    const Clocks clocks = fn_clocks_of(world, customer);
    return std::get<1>(fn_next_happening(clocks, one.forget_at, one.at));
}

// Let what is due now happen, and all that it leads to at the same instant: nothing else
// can come before that. Returns when the customer's next moment is due.
static double happen_now(const World& world, int64_t customer, double now) {
    double at = now;
    do {
        happen(world, customer, world.customers[customer].at);
        at = due(world, customer);
    } while (at <= now);
    return at;
}

extern "C" int64_t size_of_world() { return sizeof(World); }

extern "C" void run_world(World* given) {
    World& world = *given;
    const int64_t n = world.people.arrival.rows;
    const double horizon = world.plan.horizon;
    std::vector<Customer> customers(n);
    world.customers = customers.data();
    std::vector<Moment> pending;
    pending.reserve(n);
    for (int64_t customer = 0; customer < n; customer++) {
        customers[customer].at = HUGE_VAL;
        const double arrival = world.people.arrival(customer);
        if (customer >= world.people.n_customers) {
            fn_set_moment(world, customer, PROSPECT, arrival);
        } else if (arrival == 0.0) {
            fn_arrive(world, customer, arrival);
        }
        const double at = due(world, customer);
        if (at < horizon) pending.emplace_back(at, customer);
    }
    Heap heap(std::greater<Moment>(), std::move(pending));
    while (!heap.empty()) {
        const auto [now, customer] = heap.top();
        heap.pop();
        const double at = happen_now(world, customer, now);
        if (at < horizon) heap.emplace(at, customer);
    }
    for (int64_t customer = 0; customer < n; customer++) {
        fn_finish(world, customer);
        fn_add_up(world.books, world.plan, customer, world.people.n_customers);
    }
    world.customers = nullptr;
}
