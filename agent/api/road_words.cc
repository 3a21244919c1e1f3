#include "agent/api/road_words.h"

#include <array>

#include <nlohmann/json.hpp>

namespace duhui::agent {
namespace {

struct Words {
  std::string_view kind;
  const char* zh;
  const char* en;
};

constexpr std::array kWords = {
    Words{"unreachable", "现在连不上中心（没有网络，或中心没有开机）；记录已安全存本机",
          "The hub cannot be reached now (no network, or the hub is off); records are safe on this "
          "device"},
    Words{"sign_in_page", "此网络需要先在浏览器登录（认证页面），记录已安全存本机",
          "This network wants a sign-in in the browser first (a sign-in page); records are safe on "
          "this device"},
    Words{"intercepted",
          "此网络在拆看加密连接（出示的不是中心的密钥），已拒绝，什么也没有发送；请网络管理员放行"
          "中心地址，记录已安全存本机",
          "Something in this network opens encrypted connections (it shows another key than the "
          "hub's); refused, nothing was sent. Ask the network's administrator to let the hub's "
          "address through; records are safe on this device"},
    Words{"other_key",
          "该地址上的中心出示了另一把密钥，已拒绝，什么也没有发送；请与中心管理员核对，记录已安全"
          "存本机",
          "The hub at this address shows another key; refused, nothing was sent. Ask the hub's "
          "administrator; records are safe on this device"},
    Words{"proxy_unreachable", "连不上设置的代理服务器；记录已安全存本机",
          "The proxy of the settings does not answer; records are safe on this device"},
    Words{"proxy_password", "代理服务器要求用户名和密码，或密码不对；请检查设置 [proxy]",
          "The proxy wants a user and password, or another one; see [proxy] in the settings"},
    Words{"proxy_refused", "代理服务器不允许连接中心；请网络管理员放行中心地址",
          "The proxy does not let us connect to the hub; ask its administrator"},
    Words{"blocked", "连得上中心的地址，但通信被中途拦断；记录已安全存本机，会自动再试",
          "The hub's address answers, but the exchange is cut on the way; records are safe on this "
          "device, and it tries again by itself"},
    Words{"websocket_blocked", "此网络拦断 WebSocket，已自动改走 HTTPS，不影响使用",
          "This network blocks WebSocket; HTTPS is used instead, nothing is lost by it"},
};

}  // namespace

nlohmann::json road_problem_json(std::string_view kind) {
  for (const Words& words : kWords) {
    if (words.kind == kind) return {{"kind", words.kind}, {"zh", words.zh}, {"en", words.en}};
  }
  return nullptr;
}

}  // namespace duhui::agent
