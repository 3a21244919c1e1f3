#pragma once

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "shared/api/router.h"

namespace duhui {

/// "GET /records/{id}" -> "read records", as the OpenAPI file of a program says (`x-need`).
inline std::map<std::string, std::string> needs_in(const std::string& file) {
  std::ifstream page(std::string(DUHUI_TEST_DATA) + "/../../docs/api/" + file);
  EXPECT_TRUE(page) << file;
  std::map<std::string, std::string> needs;
  std::string path;
  std::string method;
  for (std::string line; std::getline(page, line);) {
    const bool path_line = line.starts_with("  /") && line.ends_with(":");
    if (path_line) path = line.substr(2, line.size() - 3);
    for (const std::string name : {"get", "head", "post", "put", "delete", "patch"}) {
      if (line != "    " + name + ":") continue;
      method = name;
      std::ranges::transform(method, method.begin(), [](char c) { return std::toupper(c); });
      needs[method + " " + path] = "";
    }
    if (line.starts_with("      x-need: ")) needs[method + " " + path] = line.substr(14);
  }
  return needs;
}

/// The file and the router name the same operations and the same needs.
inline void expect_same_needs(const api::Router& router,
                              const std::string& file,
                              const std::set<std::string>& answered_elsewhere = {}) {
  std::map<std::string, std::string> stated = needs_in(file);
  for (const api::Router::Route& route : router.routes()) {
    std::string name = route.method + " ";
    for (const std::string& part : route.parts) name += "/" + part;
    const auto at = stated.find(name);
    EXPECT_TRUE(at != stated.end()) << file << " lacks " << name;
    if (at == stated.end()) continue;
    EXPECT_EQ(at->second, std::string(to_string(route.need.verb)) + " " +
                              std::string(to_string(route.need.thing)))
        << name;
    stated.erase(at);
  }
  for (const auto& [name, need] : stated) {
    EXPECT_TRUE(answered_elsewhere.contains(name)) << file << " has " << name << ", nobody answers";
    EXPECT_FALSE(need.empty()) << name;
  }
}

}  // namespace duhui
