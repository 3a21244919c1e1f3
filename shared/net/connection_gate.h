#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace duhui::net {

/// Counts connections, in all and by address. Outlives its passes.
class ConnectionGate {
 public:
  ConnectionGate(std::size_t total_max, std::size_t per_address_max)
      : total_max_(total_max), per_address_max_(per_address_max) {}

  /// One place, given back when the object dies.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept
        : gate_(std::exchange(other.gate_, nullptr)), place_(other.place_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave(place_);
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class ConnectionGate;
    using Place = std::map<std::string, std::size_t>::iterator;
    Pass(ConnectionGate& gate, Place place) : gate_(&gate), place_(place) {}

    ConnectionGate* gate_ = nullptr;
    Place place_;
  };

  /// A false pass: full.
  Pass enter(const std::string& address) {
    if (total_ >= total_max_) return {};
    const auto place = by_address_.try_emplace(address, 0u).first;
    if (place->second >= per_address_max_) return {};
    ++place->second;
    ++total_;
    return {*this, place};
  }

  std::size_t total() const { return total_; }

 private:
  void leave(Pass::Place place) {
    --total_;
    if (--place->second == 0) by_address_.erase(place);
  }

  const std::size_t total_max_;
  const std::size_t per_address_max_;
  std::size_t total_ = 0;
  std::map<std::string, std::size_t> by_address_;
};

}  // namespace duhui::net
