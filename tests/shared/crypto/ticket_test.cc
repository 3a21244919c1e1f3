#include "shared/crypto/ticket.h"

#include <string>

#include <gtest/gtest.h>

namespace duhui {
namespace {

Ticket example() {
  SeededRandom random(7);
  Ticket ticket = mint_ticket(random);
  ticket.hub_pin = sha256("a hub's key").str();
  ticket.hub_key = std::string(32, 'k');
  ticket.host = "hub.edu.example";
  ticket.port = 8443;
  ticket.scopes = {"county:LH", "school:SCH-001"};
  ticket.expires = WallTime{1'790'000'000'000};
  return ticket;
}

TEST(Ticket, TheFileCarriesEverything) {
  const Ticket ticket = example();
  const auto again = parse_ticket(to_ticket_file(ticket));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(*again, ticket);
}

TEST(Ticket, TheFileSurvivesAMailProgram) {
  std::string text = "\n";
  for (const char c : to_ticket_file(example()))
    text += c == '\n' ? std::string(" \r\n") : std::string(1, c);
  const auto again = parse_ticket(text);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(*again, example());
}

TEST(Ticket, TheCodeCarriesIdSecretAddressAndEnoughOfThePin) {
  const Ticket ticket = example();
  const std::string code = to_ticket_code(ticket);
  EXPECT_EQ(code.size(), 56u + 13u + std::string("@hub.edu.example:8443").size());
  const auto again = parse_ticket(code);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->id, ticket.id);
  EXPECT_EQ(again->secret, ticket.secret);
  EXPECT_EQ(again->host, ticket.host);
  EXPECT_EQ(again->port, ticket.port);
  EXPECT_TRUE(again->hub_key.empty()) << "too long to be typed";
  EXPECT_EQ(again->hub_pin, ticket.hub_pin.substr(0, kShortPinSize));
  EXPECT_TRUE(pin_matches(again->hub_pin, sha256("a hub's key")));
  EXPECT_FALSE(pin_matches(again->hub_pin, sha256("another hub's key")));
}

TEST(Ticket, TheCodeForgivesHowPeopleType) {
  std::string typed;
  for (char c : to_ticket_code(example())) {
    if (c == '-') c = ' ';
    typed += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  const auto again = parse_ticket("  " + typed + "\n");
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->secret, example().secret);
}

TEST(Ticket, EveryWrongCharacterIsNoticed) {
  const std::string code = to_ticket_code(example());
  for (std::size_t i = 0; i < code.size(); ++i) {
    for (const char c : {'0', '7', 'A', 'Z', '!', '@'}) {
      std::string typed = code;
      if (typed[i] == c || typed[i] == c + 32 || typed[i] == '-') continue;
      typed[i] = c;
      EXPECT_FALSE(parse_ticket(typed)) << typed;
    }
    EXPECT_FALSE(parse_ticket(code.substr(0, i))) << i;
  }
}

TEST(Ticket, SwappedNeighboursAreNoticed) {
  const std::string code = to_ticket_code(example());
  for (std::size_t i = 0; i + 1 < code.size(); ++i) {
    std::string typed = code;
    std::swap(typed[i], typed[i + 1]);
    if (typed == code || typed[i] == '-' || typed[i + 1] == '-') continue;
    EXPECT_FALSE(parse_ticket(typed)) << typed;
  }
}

TEST(Ticket, AChangedFileIsNoticed) {
  const std::string text = to_ticket_file(example());
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 2);
    EXPECT_FALSE(parse_ticket(damaged)) << i;
    EXPECT_FALSE(parse_ticket(text.substr(0, i))) << i;
  }
}

TEST(Ticket, AnIpv6AddressIsKept) {
  Ticket ticket = example();
  ticket.host = "fd00::1";
  const auto again = parse_ticket(to_ticket_code(ticket));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->host, "fd00::1");
  EXPECT_EQ(parse_ticket(to_ticket_file(ticket)).value(), ticket);
}

TEST(Ticket, TheStoredHashDependsOnIdAndSecret) {
  EXPECT_EQ(ticket_secret_hash("A", "s"), ticket_secret_hash("A", "s"));
  EXPECT_NE(ticket_secret_hash("A", "s"), ticket_secret_hash("B", "s"));
  EXPECT_NE(ticket_secret_hash("A", "s"), ticket_secret_hash("A", "t"));
}

TEST(PinMatches, AnotherLengthNeverMatches) {
  const Digest seen = sha256("x");
  EXPECT_TRUE(pin_matches(seen.view(), seen));
  EXPECT_FALSE(pin_matches("", seen));
  EXPECT_FALSE(pin_matches(seen.view().substr(0, 4), seen));
}

}  // namespace
}  // namespace duhui
