# duhui_library(<name> SOURCES <files...> DEPS <targets...>)
#
# One static library per box of the architecture picture. DEPS is the whole truth about what it may
# use: <name>_links_alone fails to link if a source reaches past it. Which header may include which
# is checked by cmake/check_layers.py.
function(duhui_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE duhui_warnings ${arg_PRIVATE_DEPS})

  if(DUHUI_LINK_ALONE)
    add_executable(${name}_links_alone ${PROJECT_SOURCE_DIR}/cmake/empty_main.cc)
    target_link_libraries(${name}_links_alone PRIVATE
      "$<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>")
  endif()
endfunction()

# duhui_test(<name> SOURCES <files...> DEPS <targets...> [LABELS <labels...>] [TIMEOUT <seconds>])
#
# One GoogleTest program, registered as one ctest test.
function(duhui_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;DEPS;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} /usr/include/rapidcheck/extras/gtest/include)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} duhui_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE DUHUI_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
  if(DUHUI_SANITIZE)
    # Tests of a hundred thousand cases look at a sample.
    target_compile_definitions(${name} PRIVATE DUHUI_SANITIZED)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

# duhui_proto_library(<name> ROOT <dir> PROTOS <files relative to ROOT...> [DEPS <targets...>])
#
# Generated code is compiled without our warnings; its headers are system headers for users.
function(duhui_proto_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT" "PROTOS;DEPS")
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}_generated)
  file(MAKE_DIRECTORY ${out})
  set(sources)
  foreach(proto IN LISTS arg_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    add_custom_command(
      OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
      COMMAND protobuf::protoc --cpp_out=${out} -I ${arg_ROOT} -I ${PROJECT_SOURCE_DIR}/proto
              ${arg_ROOT}/${proto}
      DEPENDS ${arg_ROOT}/${proto}
      VERBATIM)
    list(APPEND sources ${out}/${stem}.pb.cc)
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${arg_DEPS})
endfunction()
