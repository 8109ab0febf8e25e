// What SelfTest expects. The ciphertexts of `kPublished` are from the documents named; ICVs of CBC, and all of
// `kPatterned`, were computed with node:crypto, by the rules of RFC 4303 and RFC 4106.
#pragma once

#include <optional>

#include "crypto.h"

namespace culvert::crypto {

struct Published {
  Suite suite;
  const char* key;
  const char* salt;
  const char* header;  // SPI and sequence number
  const char* iv;
  const char* plain;
  const char* body;
  const char* icv;  // the key of the HMAC is patterned
  std::optional<uint32_t> sequenceHigh;
};

constexpr Published kPublished[] = {
    // NIST SP 800-38A F.2.1, all four blocks.
    {{Cipher::kAesCbc128, Mac::kHmacSha1_96},
     "2b7e151628aed2a6abf7158809cf4f3c",
     "",
     "1234567801020304",
     "000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef"
     "f69f2445df4f9b17ad2b417be66c3710",
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e22229516"
     "3ff1caa1681fac09120eca307586e1a7",
     "827b600a0c1dbdae7f16e2bc",
     {}},
    // NIST SP 800-38A F.2.3, all four blocks.
    {{Cipher::kAesCbc192, Mac::kHmacSha1_96},
     "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "",
     "1234567801020304",
     "000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef"
     "f69f2445df4f9b17ad2b417be66c3710",
     "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e0"
     "08b0e27988598881d920a9e64f5615cd",
     "dbfcfa6bc89735bcdb7633de",
     {}},
    // NIST SP 800-38A F.2.5, all four blocks.
    {{Cipher::kAesCbc256, Mac::kHmacSha1_96},
     "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "",
     "1234567801020304",
     "000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef"
     "f69f2445df4f9b17ad2b417be66c3710",
     "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461"
     "b2eb05e2c39be9fcda6c19078c6a9d1b",
     "2eb2597ae451a46e4198ad11",
     {}},
    // NIST SP 800-67 B.1 is three blocks without chaining: here each plaintext block is its own XOR the
    // ciphertext before it, so that chaining undoes it.
    {{Cipher::kTripleDesCbc, Mac::kHmacSha1_96},
     "0123456789abcdef23456789abcdef01456789abcdef0123",
     "",
     "1234567801020304",
     "0000000000000000",
     "5468652071756663c3069ffe8a4ceb7faa8d64a178500296",
     "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900",
     "74f324cb460a7d9353ac3dec",
     {}},
    // draft-mcgrew-gcm-test-01 §4, with an extended sequence number.
    {{Cipher::kAesGcm128, Mac::kNone},
     "4c80cdefbb5d10da906ac73c3613a634",
     "2e443b68",
     "0000432100000000",
     "4956ed7e3b244cfe",
     "45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f736970045f7564700373"
     "69700963796265726369747902646b000021000101020201",
     "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a13c5d"
     "15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732",
     "459018148f6cbe722fd04796562dfdb4",
     0x87654321},
    // The same, a SYN.
    {{Cipher::kAesGcm256, Mac::kNone},
     "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
     "11223344",
     "4a2cbfe300000002",
     "0102030405060708",
     "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b401010402"
     "01020201",
     "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d347f0545659f14e99d"
     "ef842d8e",
     "b335f4eecfdbf831824b4c4915956c96",
     {}},
};

// Octet n of a pattern is n * 7 + its seed.
constexpr uint8_t kKeySeed = 1;
constexpr uint8_t kIvSeed = 2;
constexpr uint8_t kIntegritySeed = 3;
constexpr uint8_t kSaltSeed = 4;
constexpr uint8_t kBodySeed = 5;
constexpr const char* kPatternedHeader = "1234567801020304";
constexpr uint32_t kPatternedHigh = 0x0a0b0c0d;

// The ICV covers the ciphertext, so it alone tells whether all is right.
struct Patterned {
  Suite suite;
  uint32_t bodyOctets;
  bool esn;
  const char* icv;
};

constexpr Patterned kPatterned[] = {
    {{Cipher::kAesCbc128, Mac::kHmacSha1_96}, 64, false, "18fd2355554c6728621300ab"},
    {{Cipher::kAesCbc128, Mac::kHmacSha1_96}, 1408, true, "55b460410bc3c61c1cac03b0"},
    {{Cipher::kAesCbc128, Mac::kHmacSha256_128}, 64, false, "460dd5a42724f0ac8b1793245e93b55a"},
    {{Cipher::kAesCbc128, Mac::kHmacSha256_128}, 1408, true, "d0ec4db6ec1c67d86d239a805b5df863"},
    {{Cipher::kAesCbc128, Mac::kHmacSha384_192}, 64, false, "7f3f64f1ef5a9bc82aff65a7fe1e00dbd937de3c8079b3b8"},
    {{Cipher::kAesCbc128, Mac::kHmacSha384_192}, 1408, true, "62f87245151d807ca9f683c2a058cbe3ec3c4f95aac551a7"},
    {{Cipher::kAesCbc128, Mac::kHmacSha512_256}, 64, false,
     "0e51e33439d72666a1de2d36ba610e17a8fc435888e9864fcff3a58ceb096c7c"},
    {{Cipher::kAesCbc128, Mac::kHmacSha512_256}, 1408, true,
     "d94fe2d366d11ecfdf384e8d52929ee48469bf5f9ac4cd4a6ead067f9bbf1555"},
    {{Cipher::kAesCbc192, Mac::kHmacSha1_96}, 64, false, "0a9878aac45b00dc4a752ecb"},
    {{Cipher::kAesCbc192, Mac::kHmacSha1_96}, 1408, true, "48570991c498500bd6d24ef4"},
    {{Cipher::kAesCbc192, Mac::kHmacSha256_128}, 64, false, "1a9c4bcf837a4611aa71f80c4c1f642d"},
    {{Cipher::kAesCbc192, Mac::kHmacSha256_128}, 1408, true, "4fa724e20010353d01446f3c9036d1a5"},
    {{Cipher::kAesCbc192, Mac::kHmacSha384_192}, 64, false, "36646d40f9c690deae2ef6a3077c8fbdb52fc40eef5561d4"},
    {{Cipher::kAesCbc192, Mac::kHmacSha384_192}, 1408, true, "f1d4dec271e71478da600a2605209ed79234e663c6682b52"},
    {{Cipher::kAesCbc192, Mac::kHmacSha512_256}, 64, false,
     "20b8b4cae8f3eac4f2ca463c1e8d9828f2792e10c5718a0c3cd8e1f42613d9fb"},
    {{Cipher::kAesCbc192, Mac::kHmacSha512_256}, 1408, true,
     "0f6ac9811eb3c3cdf6f621032dbd0e9365d4f4a24386465a606d32cb8d21f279"},
    {{Cipher::kAesCbc256, Mac::kHmacSha1_96}, 64, false, "b5254f94f6a7646e52bd59a3"},
    {{Cipher::kAesCbc256, Mac::kHmacSha1_96}, 1408, true, "70fcdd2112b4e31c68305bc0"},
    {{Cipher::kAesCbc256, Mac::kHmacSha256_128}, 64, false, "96ba22ef488bb72d95704e4ef96dd48b"},
    {{Cipher::kAesCbc256, Mac::kHmacSha256_128}, 1408, true, "8bbbdfbbad9031b2f4ae2b2dc6c31dcd"},
    {{Cipher::kAesCbc256, Mac::kHmacSha384_192}, 64, false, "db4873a3c0a2f714fb00c4d9ca0d3bf9b7ce97527d3268f2"},
    {{Cipher::kAesCbc256, Mac::kHmacSha384_192}, 1408, true, "d9fffc0c6a9d074b7c0ca10607ce6298636cea9da5ff8b52"},
    {{Cipher::kAesCbc256, Mac::kHmacSha512_256}, 64, false,
     "6513c1dfbe8b4d7cd4faadd58c6dbcb88275ac9418b2965a074f8c4aa1c03447"},
    {{Cipher::kAesCbc256, Mac::kHmacSha512_256}, 1408, true,
     "08ed704222e9b6bf7112e9f46d98435535cf529b4ff46e84de6307d64dec8ae5"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha1_96}, 64, false, "369377bfcde13e6fee6f3b19"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha1_96}, 1408, true, "c95d972ff6049e23bfa450e4"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha256_128}, 64, false, "a29cb69628398498acac7602bb02f8e9"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha256_128}, 1408, true, "3ea8d230719aed753350f4c102f4f563"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha384_192}, 64, false, "fe7c1bc36a5f90452d870ae28f9d52aad344ee7c2c939913"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha384_192}, 1408, true, "903f1f72567786a78adc26a293e1a2afadc38bcd645010eb"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha512_256}, 64, false,
     "e824bc3ea38119e04fbdd7051bf58cf88109facbcf374cc6b9ab1acb6922a6ef"},
    {{Cipher::kTripleDesCbc, Mac::kHmacSha512_256}, 1408, true,
     "e30147239c18a87fbdd098729670a034f1835d8bde682836918cc22784d911d5"},
    {{Cipher::kAesGcm128, Mac::kNone}, 64, false, "b12f0dd2d9e1567bc2a82f1bccb54163"},
    {{Cipher::kAesGcm128, Mac::kNone}, 1408, true, "b3d6dda674ad817b422d30efaf3ad769"},
    {{Cipher::kAesGcm256, Mac::kNone}, 64, false, "319a4d30a0fa3b829df6ed34498671fa"},
    {{Cipher::kAesGcm256, Mac::kNone}, 1408, true, "ea424a2468296bddaa5979ee736de16a"},
};

}  // namespace culvert::crypto
